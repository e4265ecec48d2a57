# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What older tools leave on a disk, as they write it: sources for the tests of convert."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Dict

KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDwG7eXampleKeyOfAMachineThatNeverWas0123456789"
CLIENT_SECRET = "cl13nt-s3cret-of-docker-machine"


def machine(name: str, address: str, **driver: Any) -> Dict[str, Any]:
    """The config.json of a machine of the azure driver, with the defaults of docker-machine 0.16."""
    store = "/home/ops/.docker/machine"
    engine = driver.pop("engine", {})
    swarm = driver.pop("swarm", {})
    return {
        "ConfigVersion": 3,
        "Driver": {
            "IPAddress": address, "MachineName": name, "SSHUser": "docker-user", "SSHPort": 22,
            "SSHKeyPath": f"{store}/machines/{name}/id_rsa", "StorePath": store, "SwarmMaster": False, "SwarmHost": "", "SwarmDiscovery": "",
            "ClientID": "6c9f4b0a-1111-4222-8333-944455556666", "ClientSecret": CLIENT_SECRET, "Environment": "AzurePublicCloud",
            "SubscriptionID": "11111111-2222-4333-8444-555555555555", "ResourceGroup": "shop-machines", "DockerPort": 2376,
            "Location": "northeurope", "Size": "Standard_DS2_v2", "Image": "canonical:UbuntuServer:16.04.0-LTS:latest",
            "VirtualNetwork": "docker-machine-vnet", "SubnetName": "docker-machine", "SubnetPrefix": "192.168.0.0/16",
            "AvailabilitySet": "docker-machine", "StorageType": "Standard_LRS", "OpenPorts": None, "PrivateIPAddr": "", "UsePrivateIP": False,
            "NoPublicIP": False, "DNSLabel": "", "StaticPublicIP": False, "CustomDataFile": "", **driver,
        },
        "DriverName": "azure",
        "HostOptions": {
            "Driver": "", "Memory": 0, "Disk": 0,
            "EngineOptions": {
                "ArbitraryFlags": [], "Dns": None, "GraphDir": "", "Env": [], "Ipv6": False, "InsecureRegistry": [], "Labels": [],
                "LogLevel": "", "StorageDriver": "", "SelinuxEnabled": False, "TlsVerify": True, "RegistryMirror": [],
                "InstallURL": "https://get.docker.com", **engine,
            },
            "SwarmOptions": {
                "IsSwarm": False, "Address": "", "Discovery": "", "Agent": False, "Master": False, "Host": "tcp://0.0.0.0:3376",
                "Image": "swarm:latest", "Strategy": "spread", "Heartbeat": 0, "Overcommit": 0, "ArbitraryFlags": [],
                "ArbitraryJoinFlags": [], "Env": None, "IsExperimental": False, **swarm,
            },
            "AuthOptions": {"CertDir": f"{store}/certs", "CaCertPath": f"{store}/certs/ca.pem", "ServerCertSANs": [], "StorePath": store},
        },
        "Name": name,
    }  # fmt: skip


def store(folder: pathlib.Path, *machines: Dict[str, Any], key: str = KEY) -> pathlib.Path:
    """A store with these machines."""
    for config in machines:
        place = folder / "machines" / config["Name"]
        place.mkdir(parents=True)
        (place / "config.json").write_text(json.dumps(config, indent=4))
        (place / "id_rsa.pub").write_text(f"{key}\n")
        (place / "id_rsa").write_text("a private key, which nobody reads\n")
    (folder / "certs").mkdir()
    (folder / "certs" / "ca-key.pem").write_text("a private key, which nobody reads\n")
    return folder


# A shop of 2016: a web server that is linked to a database, a cache and a worker, with volumes of a data container.
COMPOSE = r"""
web:
  build: ./web
  dockerfile: Dockerfile.prod
  command: gunicorn --workers 4 shop.wsgi
  links:
    - db:database
    - cache
  external_links:
    - legacy_search:search
  ports:
    - "80:8000"
  environment:
    - DATABASE_PASSWORD=pa55-of-the-shop
    - DEBUG
    - SITE_NAME=The shop
  volumes_from:
    - media:ro
  mem_limit: 512m
  restart: always
  log_driver: syslog
  log_opt:
    tag: "{{.Name}}"
worker:
  image: shop/worker:1.4
  links: [db, cache]
  net: "bridge"
  volumes_from: [media]
  cpu_shares: 512
  restart: on-failure:5
  environment: {API_TOKEN: t0ken-of-the-worker, QUEUE: default}
media:
  image: busybox
  volumes:
    - /srv/media
  command: "true"
db:
  image: mysql:5.7
  volumes:
    - dbdata:/var/lib/mysql
    - ./conf:/etc/mysql/conf.d:ro
  volume_driver: local
  expose: ["3306"]
  environment:
    MYSQL_ROOT_PASSWORD: r00t-of-the-shop
    MYSQL_DATABASE: shop
  container_name: shop-db
cache:
  image: redis:3.2
  privileged: true
  net: "container:db"
  cpuset: 0,1
"""
COMPOSE_SECRETS = ("pa55-of-the-shop", "t0ken-of-the-worker", "r00t-of-the-shop")

PUBLIC = {
    "docker": {"port": "2376", "options": ["-D", "--dns=8.8.8.8", "--registry-mirror=https://mirror.example.com"]},
    "compose": {"web": {"image": "nginx", "ports": ["80:80"], "environment": {"GREETING": "$GREETING", "SESSION_KEY": "$SESSION_KEY"}}},
    "compose-environment": {"GREETING": "hello"},
    "azure-environment": "AzureCloud",
}
PROTECTED = {
    "environment": {"SESSION_KEY": "s3ssion-key"},
    "login": {"server": "registry.example.com", "username": "ci", "password": "l0gin-password", "email": "ci@example.com"},
}
TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {"rootPassword": {"type": "securestring"}, "greeting": {"type": "string", "defaultValue": "hello"}},
    "resources": [
        {"type": "Microsoft.Network/networkInterfaces", "name": "nic", "properties": {}},
        {
            "type": "Microsoft.Compute/virtualMachines", "name": "[variables('vmName')]", "properties": {},
            "resources": [
                {
                    "type": "extensions", "name": "DockerExtension",
                    "properties": {
                        "publisher": "Microsoft.Azure.Extensions", "type": "DockerExtension", "typeHandlerVersion": "1.0",
                        "settings": {
                            "compose": {
                                "db": {"image": "mysql", "environment": {"MYSQL_ROOT_PASSWORD": "[parameters('rootPassword')]"}},
                                "web": {"image": "nginx", "links": ["db"], "environment": {"GREETING": "[parameters('greeting')]"}},
                            },
                        },
                    },
                },
            ],
        },
    ],
}  # fmt: skip

DOCKER_FOR_AZURE = {
    "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentParameters.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {
        "adServicePrincipalAppID": {"value": "6c9f4b0a-1111-4222-8333-944455556666"},
        "adServicePrincipalAppSecret": {"value": "pr1ncipal-secret"},
        "managerCount": {"value": 3}, "managerVMSize": {"value": "Standard_DS2_v2"}, "swarmName": {"value": "DockerSwarm"},
        "workerCount": {"value": "5"}, "workerVMSize": {"value": "Standard_DS3_v2"}, "sshPublicKey": {"value": KEY},
        "enableSystemPrune": {"value": "yes"}, "enableExtLogs": {"value": "yes"},
    },
}  # fmt: skip

ACS_ENGINE = {
    "apiVersion": "vlabs",
    "location": "West Europe",
    "properties": {
        "orchestratorProfile": {"orchestratorType": "SwarmMode"},
        "masterProfile": {
            "count": 3, "dnsPrefix": "ShopMasters", "vmSize": "Standard_D2_v2", "firstConsecutiveStaticIP": "10.0.0.5",
            "vnetSubnetID": "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/masters",
        },
        "agentPoolProfiles": [
            {"name": "front", "count": 2, "vmSize": "Standard_D2_v2", "dnsPrefix": "shopfront", "ports": [80, 443], "availabilityProfile": "AvailabilitySet"},
            {"name": "data", "count": 3, "vmSize": "Standard_D3_v2", "diskSizesGB": [128, 128], "customNodeLabels": {"tier": "data"}},
            {"name": "windows", "count": 2, "vmSize": "Standard_D2_v2", "osType": "Windows"},
        ],
        "linuxProfile": {"adminUsername": "azureuser", "ssh": {"publicKeys": [{"keyData": KEY}]}},
        "windowsProfile": {"adminUsername": "azureuser", "adminPassword": "w1ndows-password"},
        "servicePrincipalProfile": {"clientId": "6c9f4b0a-1111-4222-8333-944455556666", "secret": "pr1ncipal-secret"},
    },
}  # fmt: skip
