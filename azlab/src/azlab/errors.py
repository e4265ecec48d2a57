# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a client can see: status, code and text as Azure words them, in one table."""
from __future__ import annotations

from typing import Any

# code key → (status, Azure's code, text, who answers: gateway = ARM itself, service = the provider)
TABLE: dict[str, tuple[int, str, str, str]] = {
    # ARM's gateway
    "missing_auth": (401, "AuthenticationFailed",
                     "Authentication failed. The 'Authorization' header is missing.", "gateway"),
    "bad_scheme": (401, "AuthenticationFailedInvalidHeader",
                   "Authentication failed. The 'Authorization' header is provided in an invalid format.", "gateway"),
    "bad_token": (401, "InvalidAuthenticationToken", "The access token is invalid.", "gateway"),
    "expired_token": (401, "ExpiredAuthenticationToken",
                      "The access token expiry UTC time '{expiry}' is earlier than current UTC time '{now}'.", "gateway"),
    "wrong_audience": (401, "InvalidAuthenticationTokenAudience",
                       "The access token has been obtained for wrong audience or resource '{audience}'. It should "
                       "exactly match with one of the allowed audiences '{allowed}'.", "gateway"),
    "wrong_tenant": (401, "InvalidAuthenticationTokenTenant",
                     "The access token is from the wrong issuer '{issuer}'. It must match the tenant '{tenant}' "
                     "associated with this subscription. Please use the authority (URL) '{tenant}' to get the token.",
                     "gateway"),
    "missing_api_version": (400, "MissingApiVersionParameter",
                            "The api-version query parameter (?api-version=) is required for all requests.", "gateway"),
    "invalid_api_version": (400, "InvalidApiVersionParameter",
                            "The api-version '{version}' is invalid. The supported versions are '{supported}'.",
                            "gateway"),
    "no_provider": (400, "NoRegisteredProviderFound",
                    "No registered resource provider found for location '{location}' and API version '{version}' for "
                    "type '{type}'. The supported api-versions are '{supported}'. The supported locations are "
                    "'{locations}'.", "gateway"),
    "invalid_namespace": (404, "InvalidResourceNamespace",
                          "The resource namespace '{namespace}' is invalid.", "gateway"),
    "invalid_type": (404, "InvalidResourceType",
                     "The resource type '{type}' could not be found in the namespace '{namespace}' for api version "
                     "'{version}'. The supported api-versions are '{supported}'.", "gateway"),
    "invalid_subscription": (400, "InvalidSubscriptionId",
                             "The provided subscription identifier '{id}' is malformed or invalid.", "gateway"),
    "subscription_not_found": (404, "SubscriptionNotFound", "The subscription '{id}' could not be found.", "gateway"),
    "not_registered": (409, "MissingSubscriptionRegistration",
                       "The subscription is not registered to use namespace '{namespace}'. See "
                       "https://aka.ms/rps-not-found for how to register subscriptions.", "gateway"),
    "group_not_found": (404, "ResourceGroupNotFound", "Resource group '{name}' could not be found.", "gateway"),
    "not_found": (404, "ResourceNotFound",
                  "The Resource '{type}' under resource group '{group}' was not found. For more details please go to "
                  "https://aka.ms/ARMResourceNotFoundFix", "gateway"),
    "parent_not_found": (404, "ParentResourceNotFound",
                         "Failed to perform '{verb}' on resource(s) of type '{type}', because the parent resource "
                         "'{parent}' could not be found.", "gateway"),
    "method": (405, "MethodNotAllowed", "The requested resource does not support http method '{method}'.", "gateway"),
    "bad_content": (400, "InvalidRequestContent",
                    "The request content was invalid and could not be deserialized: '{why}'.", "gateway"),
    "no_content": (400, "MissingRequestBody", "The request body is missing or empty.", "gateway"),
    "too_large": (413, "RequestContentTooLarge",
                  "The request content size exceeds the maximum size of 4 MB.", "gateway"),
    "location_required": (400, "LocationRequired",
                          "The location property is required for this definition.", "gateway"),
    "location_unavailable": (400, "LocationNotAvailableForResourceType",
                             "The provided location '{location}' is not available for resource type '{type}'. List of "
                             "available regions for the resource type is '{regions}'.", "gateway"),
    "group_location_unavailable": (400, "LocationNotAvailableForResourceGroup",
                                   "The provided location '{location}' is not available for resource group. List of "
                                   "available regions is '{regions}'.", "gateway"),
    "group_location": (409, "InvalidResourceGroupLocation",
                       "Invalid resource group location '{wanted}'. The Resource group already exists in location "
                       "'{location}'.", "gateway"),
    "resource_location": (409, "InvalidResourceLocation",
                          "The resource '{name}' already exists in location '{location}' in resource group '{group}'. "
                          "A resource with the same name cannot be created in location '{wanted}'. Please select a new "
                          "resource name.", "gateway"),
    "group_deleting": (409, "ResourceGroupBeingDeleted",
                       "The resource group '{name}' is in deprovisioning state and cannot perform this operation.",
                       "gateway"),
    "group_name": (400, "InvalidResourceGroup",
                   "The provided resource group name '{name}' has these invalid characters: '{chars}'. The name can "
                   "only be a letter, digit, '-', '.', '(', ')' or '_'.", "gateway"),
    "group_name_end": (400, "InvalidResourceGroup",
                       "The provided resource group name '{name}' is invalid. The name cannot end with '.'.", "gateway"),
    "name_length": (400, "InvalidResourceName",
                    "The provided resource name '{name}' is invalid: its length must be between 1 and {limit}.", "gateway"),
    "name_mismatch": (400, "InvalidRequestContent",
                      "The request content is not valid and could not be deserialized: 'The resource name '{body}' in "
                      "the request content does not match the name '{url}' in the URL.'.", "gateway"),
    "tags_limit": (400, "InvalidTags", "The number of tags '{count}' exceeds the maximum of '50'.", "gateway"),
    "tag_name": (400, "InvalidTagNameCharacters",
                 "The tag names '{name}' have reserved characters '{chars}' or control characters.", "gateway"),
    "tag_name_length": (400, "InvalidTagName",
                        "Tag name too large. Following tag name exceeded the maximum length. Maximum allowed length for "
                        "tag name - '{limit}' characters. Tag name - '{name}'", "gateway"),
    "tag_value_length": (400, "InvalidTagValue",
                         "Tag value too large. Following tag value exceeded the maximum length. Maximum allowed length "
                         "for tag value - '256' characters. Tag value - '{value}'", "gateway"),
    "tag_name_unknown": (404, "TagNotFound", "The tag name '{name}' could not be found.", "gateway"),
    "precondition": (412, "PreconditionFailed",
                     "Precondition failed. The given ETag '{given}' does not match the current ETag '{current}'.",
                     "service"),
    "internal": (500, "InternalServerError", "An error occurred.", "service"),
    "filter": (400, "InvalidFilterInQueryString",
               "Invalid $filter '{filter}' specified in the query string.", "gateway"),
    "operation_not_found": (404, "OperationNotFound", "The operation '{id}' could not be found.", "service"),
    "skip_token": (400, "InvalidSkipToken", "The skip token '{token}' in the query string is invalid.", "gateway"),
    "identity_operation": (400, "FailedIdentityOperation",
                           "Identity operation for resource '{owner}' failed with error 'Failed to perform resource identity operation. "
                           "Status: 'BadRequest'. Response: '{{\"error\":{{\"code\":\"BadRequest\",\"message\":\"Resource '{id}' was not "
                           "found.\"}}}}'.'.", "gateway"),
    "deployment_not_found": (404, "DeploymentNotFound", "Deployment '{name}' could not be found.", "gateway"),
    # Microsoft.Network
    "network_name": (400, "InvalidResourceName",
                     "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word "
                     "character, and it must end with a word character or with '_'. The name may contain word characters or "
                     "'.', '-', '_'.", "service"),
    "format": (400, "InvalidRequestFormat", "Cannot parse the request.", "service"),
    "reference_id": (400, "LinkedInvalidPropertyId",
                     "Property id '{id}' at path '{path}' is invalid. Expect fully qualified resource Id that start "
                     "with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'.",
                     "gateway"),
    "reference": (400, "InvalidResourceReference",
                  "Resource {target} referenced by resource {source} was not found. Please make sure that the "
                  "referenced resource exists, and that both resources are in the same region.", "service"),
    "busy": (429, "RetryableError", "A retryable error occurred.", "service"),
    "resource_missing": (404, "NotFound", "Resource {id} not found.", "service"),
    "prefix_format": (400, "InvalidAddressPrefixFormat",
                      "Address prefix {prefix} of resource {id} is not formatted correctly. It should follow CIDR "
                      "notation, for example 10.0.0.0/24.", "service"),
    "prefix_bits": (400, "InvalidCIDRNotation",
                    "The address prefix {prefix} in resource {id} has an invalid CIDR notation. For the given prefix "
                    "length, the address prefix should be {network}.", "service"),
    "prefix_overlap": (400, "AddressPrefixesOverlap",
                       "Address prefixes {a} and {b} of virtual network {id} overlap.", "service"),
    "no_prefix": (400, "MissingAddressSpace",
                  "Virtual network {id} must have at least one address prefix.", "service"),
    "subnet_outside": (400, "NetcfgSubnetRangeOutsideVnet",
                       "Subnet '{subnet}' is not valid because its IP address range is outside the IP address range "
                       "of virtual network '{vnet}'.", "service"),
    "subnet_overlap": (400, "NetcfgSubnetRangesOverlap",
                       "Subnet '{subnet}' is not valid because its IP address range overlaps with that of an existing "
                       "subnet in virtual network '{vnet}'.", "service"),
    "subnet_invalid": (400, "NetcfgInvalidSubnet",
                       "Subnet '{subnet}' is not valid in virtual network '{vnet}'.", "service"),
    "subnet_in_use": (400, "InUseSubnetCannotBeDeleted",
                      "Subnet {subnet} is in use by {users} and cannot be deleted. In order to delete the subnet, "
                      "delete all the resources within the subnet. See aka.ms/deletesubnet.", "service"),
    "subnet_prefix_in_use": (400, "InUsePrefixCannotBeDeleted",
                             "IpPrefix {prefix} on Subnet {subnet} has active allocations and cannot be deleted.",
                             "service"),
    "encryption": (400, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy",
                   "Cannot encrypt VirtualNetwork {id} unless both encryption intent (Enabled true or false) and enforcement "
                   "policy (AllowUnencrypted or DropUnencrypted) are specified.", "service"),
    "dns_server": (400, "NetcfgInvalidDnsServer", "DNS server is not valid as specified with the name '{name}'.",
                   "service"),
    "rule_priority": (400, "SecurityRuleInvalidPriority",
                      "Security rule has invalid Priority. Value provided: {value} Allowed range 100-4096.", "service"),
    "rule_conflict": (400, "SecurityRuleConflict",
                      "Security rule {a} conflicts with rule {b}. Rules cannot have the same Priority and Direction.",
                      "service"),
    "rule_port": (400, "SecurityRuleInvalidPortRange",
                  "Security rule has invalid Port range. Value provided: {value}. Value should be an integer OR integer "
                  "range with '-' delimiter. Valid range 0-65535.", "service"),
    "rule_prefix": (400, "SecurityRuleInvalidAddressPrefix",
                    "Security rule has invalid Address prefix. Value provided: {value}", "service"),
    "rule_description": (400, "SecurityRuleDescriptionTooLong",
                         "Security rule description cannot exceed 140 chars.", "service"),
    "rule_parameters": (400, "SecurityRuleParameterIsMissing",
                        "Required parameter {name} of security rule {rule} is missing.", "service"),
    "nsg_in_use": (400, "InUseNetworkSecurityGroupCannotBeDeleted",
                   "Network security group {id} cannot be deleted because it is in use by the following resources: "
                   "{users}. In order to delete the Network security group, remove the association with the "
                   "resource(s). To learn how to do this, see aka.ms/deletensg.", "service"),
    "nat_gateway_in_use": (400, "CannotDeleteNatGatewayAssociatedToSubnet",
                           "NAT Gateway {id} is still configured on {count} subnets. Remove NAT Gateway from all "
                           "referenced subnets and then delete NAT Gateway.", "service"),
    "address_in_use": (400, "PublicIPAddressCannotBeDeleted",
                       "Public IP address {id} can not be deleted since it is still allocated to resource {user}. In "
                       "order to delete the public IP, disassociate/detach the Public IP address from the resource. To "
                       "learn how to do this, see aka.ms/deletepublicip.", "service"),
    "address_taken": (400, "PublicIPAddressInUse",
                      "Resource {source} is referencing public IP address {id} that is already allocated to resource "
                      "{user}.", "service"),
    "address_timeout": (400, "PublicIPIdleTimeoutIsOutOfRange",
                        "Public IP address {name} has invalid Idle Timeout. The value must be between 4 and 30.",
                        "service"),
    "addresses_used_up": (400, "PublicIPCountLimitReached",
                          "Cannot create more than {limit} public IP addresses for this subscription in this region.",
                          "service"),
    "dns_label": (400, "InvalidDomainNameLabel",
                  "The domain name label {label} is invalid. It must conform to the following regular expression: "
                  "^[a-z][a-z0-9-]{{1,61}}[a-z0-9]$.", "service"),
    "dns_taken": (400, "DnsRecordInUse", "DNS record {name} is already used by another public IP.", "service"),
    "standard_static": (400, "PublicIPAddressStandardSkuDynamic",
                        "Standard sku publicIp {id} must have AllocationMethod set to Static.", "service"),
    "nic_in_use": (400, "NicInUse",
                   "Network Interface {id} is used by existing resource {user}. In order to delete the network "
                   "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
                   "service"),
    "address_format": (400, "IPAddressFormatIsInvalid", "IP address {address} is not valid.", "service"),
    "address_outside": (400, "PrivateIPAddressNotInAnySubnet",
                        "Private static IP address {address} does not belong to the range of any subnet in the virtual network "
                        "{network}.", "service"),
    "private_reserved": (400, "PrivateIPAddressInReservedRange",
                         "Private static IP address {address} falls within reserved IP range of subnet prefix {prefix}.",
                         "service"),
    "private_outside": (400, "PrivateIPAddressNotInSubnet",
                        "Private static IP address {address} does not belong to the range of subnet prefix {prefix}.",
                        "service"),
    "private_taken": (400, "PrivateIPAddressIsAllocated",
                      "IP configuration {source} is using the private IP address {address} which is already allocated "
                      "to resource {user}.", "service"),
    "subnet_full": (400, "SubnetIsFull",
                    "Subnet {subnet} with address prefix {prefix} does not have enough capacity for 1 IP addresses.",
                    "service"),
    "no_ip_config": (400, "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
                     "Network interface {id} must have at least one IP configuration.", "service"),
    "no_subnet": (400, "SubnetMissing", "IP configuration {id} must refer to a subnet.", "service"),
    "duplicate": (400, "DuplicateResourceName",
                  "Resource {parent} has two child resources with the same name ({name}).", "service"),
    "rule_timeout": (400, "RuleIdleTimeoutIsOutOfRange",
                     "Rule {name} has invalid Idle Timeout. The value must be between 4 and {limit}.", "service"),
    "probe_interval": (400, "ProbeIntervalIsOutOfRange",
                       "Probe Interval for probe {name} must be between 5 and 2147483646.", "service"),
    "probe_count": (400, "NumberOfProbesIsOutOfRange",
                    "NumberOfProbes value for probe {name} is out of range. When IntervalInSeconds is {interval}, the "
                    "value must be between 1 and {limit}.", "service"),
    "probe_path": (400, "ProbeRequestPathIsNotNull",
                   "Request path for probe {id} must be null when its protocol is Tcp.", "service"),
    "probe_no_path": (400, "ProbeRequestPathIsNull",
                      "Request path for probe {id} must be specified when its protocol is {protocol}.", "service"),
    "frontend_conflict": (400, "RulesUseSameFrontendPortProtocolAndIPConfig",
                          "Rules {a} and {b} use the same frontend port {port}, protocol {protocol} and frontend IP "
                          "configuration.", "service"),
    "port_range": (400, "InvalidFrontendPortRange",
                   "Inbound NAT rule {id} has an invalid frontend port range: {start} to {end}.", "service"),
    "ports_used_up": (400, "InboundNatRuleFrontendPortRangeTooSmall",
                      "Inbound NAT rule {id} has no frontend port left for another member of its backend pool: the range "
                      "holds {size} ports.", "service"),
    "port_value": (400, "InvalidPortValue", "Port {value} of {name} must be between 1 and 65534.", "service"),
    "mutually_exclusive": (400, "FrontendIPConfigurationMustHaveOneAddress",
                           "Frontend IP configuration {id} must reference either a Subnet, PublicIPAddress or "
                           "PublicIPPrefix.", "service"),
    "sku_change": (400, "SkuCannotBeChangedOnUpdate", "Resource {id} Sku cannot be changed on update.", "service"),
    "route_table_in_use": (400, "InUseRouteTableCannotBeDeleted", "Route table {name} is in use and cannot be deleted.", "service"),
    "route_conflict": (400, "RouteConflict", "Routes {a} and {b} cannot have the same address prefix {prefix}.", "service"),
    "route_next_hop": (400, "RouteNextHopIpAddressRequired",
                       "Route {name} has the next hop type VirtualAppliance and no next hop IP address.", "service"),
    "peering_overlap": (400, "VnetAddressSpacesOverlap",
                        "Cannot create or update peering {id}. Virtual networks {a} and {b} cannot be peered because their address "
                        "spaces overlap.", "service"),
    "peering_twice": (400, "AnotherPeeringAlreadyReferencesRemoteVnet",
                      "Cannot create or update peering {id}: another peering of this virtual network already references remote virtual "
                      "network {remote}.", "service"),
    "asg_in_use": (400, "ApplicationSecurityGroupInUse",
                   "Application security group {id} cannot be deleted because it is in use by: {users}.", "service"),
    # Microsoft.Compute
    "parameter": (400, "InvalidParameter", "{text}", "service"),
    "required": (400, "InvalidParameter", "Required parameter '{target}' is missing (null).", "service"),
    "vm_size": (400, "InvalidParameter",
                "The value {size} provided for the VM size is not valid. The valid sizes in the current region are: "
                "{sizes}.", "service"),
    "sku_unavailable": (409, "SkuNotAvailable",
                        "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: "
                        "{size}' is currently not available in location '{location}'. Please try another size or deploy "
                        "to a different location or different zone. See https://aka.ms/azureskunotavailable for details.",
                        "service"),
    "zone": (400, "InvalidAvailabilityZone",
             "The zone(s) '{zone}' for resource '{type}/{name}' is not supported. The supported zones for location "
             "'{location}' are '{zones}'", "service"),
    "image": (404, "PlatformImageNotFound",
              "The platform image '{image}' is not available. Verify that all fields in the storage profile are correct. "
              "For more details about storage profile information, please refer to https://aka.ms/storageprofile",
              "service"),
    "gallery_image": (404, "GalleryImageNotFound",
                      "The gallery image {id} is not available in {location} region. Please contact image owner to replicate to this region, "
                      "or change your requested region.", "service"),
    "gallery_latest": (404, "GalleryImageNotFound", "There is no latest image version exists for \"{id}\".", "service"),
    "gallery_identifier": (409, "Conflict",
                           "Gallery image: {name} identified by (publisher:{publisher}, offer:{offer}, sku:{sku}) already exists. Choose a "
                           "different publisher, offer, sku combination.", "service"),
    "own_image": (404, "NotFound", "The image {id} was not found in location {location}.", "service"),
    "nested_parent": (404, "ParentResourceNotFound",
                      "Can not perform requested operation on nested resource. Parent resource '{parent}' not found.", "gateway"),
    "nested_first": (409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted.", "gateway"),
    "not_generalized": (409, "OperationNotAllowed",
                        "The operation 'Create Image' requires the Virtual Machine '{name}' to be Generalized.", "service"),
    "action_not_allowed": (409, "OperationNotAllowed",
                           "Operation '{action}' is not allowed on VM '{name}' since the VM is {why}.", "service"),
    "artifact": (404, "ArtifactNotFound",
                 "The VM extension with publisher '{publisher}' and type '{type}' could not be found in location "
                 "'{location}'.", "service"),
    "artifact_version": (404, "ArtifactVersionNotFound",
                         "The VM extension with publisher '{publisher}', type '{type}' and version '{version}' could not "
                         "be found in location '{location}'.", "service"),
    "catalogue": (404, "NotFound", "Artifact: {what} was not found.", "service"),
    "run_command": (404, "NotFound", "The entity was not found: run command '{command}'.", "service"),
    "changed": (409, "PropertyChangeNotAllowed", "Changing property '{target}' is not allowed.", "service"),
    "conflict": (409, "Conflict",
                 "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
                 "https://aka.ms/activitylog to get more details on the conflicting requests.", "service"),
    "quota": (409, "OperationNotAllowed",
              "Operation could not be completed as it results in exceeding approved {name} Cores quota. Additional details - "
              "Deployment Model: Resource Manager, Location: {location}, Current Limit: {limit}, Current Usage: {used}, Additional "
              "Required: {asked}, (Minimum) New Limit Required: {needed}. Setup Alerts when Quota reaches threshold. Learn more at "
              "https://aka.ms/quotamonitoringalerting . Submit a request for Quota increase at "
              "https://aka.ms/ProdportalCRP/#blade/Microsoft_Azure_Capacity/UsageAndQuota.ReactView by specifying parameters listed in "
              "the ‘Details’ section for deployment to succeed. Please read more about quota limits at "
              "https://docs.microsoft.com/en-us/azure/azure-supportability/per-vm-quota-requests", "service"),
    "not_running": (409, "OperationNotAllowed",
                    "The operation requires the VM to be running (or set to run).", "service"),
    "ephemeral_deallocate": (409, "OperationNotAllowed",
                             "Operation 'deallocate' is not supported for VM '{name}' with an ephemeral OS disk.", "service"),
    "interfaces_while_running": (400, "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported",
                                 "Virtual machine {id} with a single network interface must be stop-deallocated before it can be "
                                 "updated to have multiple network interfaces and vice-versa.", "service"),
    "extension_not_running": (409, "OperationNotAllowed",
                              "Cannot modify extensions in the VM when the VM is not running.", "service"),
    "extension_twice": (400, "BadRequest",
                        "Multiple VMExtensions per handler not supported for OS type 'Linux'. VMExtension '{name}' with "
                        "handler '{handler}' already added or specified in input.", "service"),
    "extension_change": (409, "PropertyChangeNotAllowed", "Changing property '{target}' is not allowed.", "service"),
    "availability_set_in_use": (409, "OperationNotAllowed",
                                "Availability Set {name} cannot be deleted. Before deleting an Availability Set please "
                                "ensure that it does not contain any VM.", "service"),
    "disk_attached": (409, "OperationNotAllowed",
                      "Disk {name} is attached to VM {vm}.", "service"),
    "disk_taken": (409, "ConflictingUserInput",
                   "Disk {id} cannot be attached as the disk is already owned by VM {vm}.", "service"),
    "disk_shrink": (400, "OperationNotAllowed",
                    "New disk size {new} GB is smaller than the current size {old} GB. Shrinking a disk is not supported.",
                    "service"),
    # scale sets: texts and codes of the attach and detach tables of Microsoft's documentation
    "set_missing": (400, "InvalidParameter",
                    "The Virtual Machine Scale Set '{id}' referenced by the Virtual Machine does not exist.", "service"),
    "set_attach_availability": (409, "VmssDoesNotSupportAttachingExistingAvsetVM",
                                "Referenced Virtual Machine '{vm}' belongs to an Availability Set and attaching to a Virtual "
                                "Machine Scale Set is not supported. For more information, see "
                                "https://aka.ms/vmo/attachdetach.", "service"),
    "set_attach_ppg": (409, "VmssDoesNotSupportAttachingPPGVM",
                       "Referenced Virtual Machine '{vm}' belongs to a proximity placement group (PPG) and attaching to a "
                       "Virtual Machine Scale Set is not supported. For more information, see https://aka.ms/vmo/attachdetach.",
                       "service"),
    "set_attach_domains": (409, "VmssDoesNotSupportAttachingExistingVMMultiFD",
                           "Referenced Virtual Machine Scale Set '{set}' does not support attaching an existing Virtual Machine "
                           "to it because the Virtual Machine Scale Set has more than 1 fault domains. For more information, see "
                           "https://aka.ms/vmo/attachdetach.", "service"),
    "set_detach_domains": (409, "OperationNotAllowed",
                           "Virtual Machine Scale Set '{set}' does not support detaching an existing Virtual Machine from it "
                           "because the Virtual Machine Scale Set has more than 1 fault domains. For more information, see "
                           "https://aka.ms/vmo/attachdetach.", "service"),
    "set_spg": (409, "VmssDoesNotSupportAttachingWithSpg",
                "Virtual Machine Scale Set '{set}' does not support attaching an existing Virtual Machine to it because the "
                "Virtual Machine Scale Set has single placement group set to true or does not have single placement group "
                "explicitly set to false. Please see https://aka.ms/vmo/attachdetach for more information.", "service"),
    "set_full": (409, "OperationNotAllowed",
                 "Virtual Machine Scale Set '{set}' cannot have more than {limit} instances.", "service"),
    "set_instance": (400, "InvalidParameter",
                     "The provided instanceId {id} is not an active Virtual Machine Scale Set VM instanceId.", "service"),
    "entity_missing": (404, "NotFound", "The entity was not found in this Azure location.", "service"),
    "placement_in_use": (409, "OperationNotAllowed",
                         "Proximity Placement Group '{name}' cannot be deleted. Before deleting a Proximity Placement Group please "
                         "ensure that it does not contain any resource.", "service"),
    # Microsoft.Storage
    "storage_name": (400, "AccountNameInvalid",
                     "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters "
                     "in length and use numbers and lower-case letters only.", "service"),
    "storage_taken": (409, "StorageAccountAlreadyTaken", "The storage account named {name} is already taken.", "service"),
    "storage_values": (400, "InvalidValuesForRequestParameters",
                       "Values for request parameters are invalid: {names}. For more information, see - "
                       "https://aka.ms/storageaccounts", "service"),
    "storage_state": (409, "StorageAccountIsNotProvisioned",
                      "The storage account provisioning state must be 'Succeeded' before executing the operation.", "service"),
    "storage_feature": (400, "FeatureNotSupportedForAccount", "{feature} is not supported for the account.", "service"),
    "storage_part_name": (400, "InvalidResourceName",
                          "The specifed resource name contains invalid characters.\nRequestId:{id}\nTime:{time}", "service"),
    "share_missing": (404, "ShareNotFound", "The specified share does not exist.\nRequestId:{id}\nTime:{time}", "service"),
    "container_missing": (404, "ContainerNotFound", "The specified container does not exist.\nRequestId:{id}\nTime:{time}", "service"),
    "public_access": (409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.", "service"),
    "storage_immutability": (400, "InvalidStorageAccountImmutabilityPolicy",
                             "The required property immutabilityPolicy.state, "
                             "immutabilityPolicy.immutabilityPeriodSinceCreationInDays is missing.", "service"),
    "storage_lock_at_once": (400, "InvalidStorageAccountImmutabilityPolicy",
                             "Storage account immutability policy state can be set to \"Unlocked, Disabled\". Note that the "
                             "immutability state can either be Disabled or Unlocked during account creation.", "service"),
    "storage_worm": (400, "InvalidStorageAccountImmutabilityPolicy",
                     "Storage account level default immutability policy cannot be set as account level WORM is disabled", "service"),
    "storage_locked": (400, "InvalidStorageAccountImmutabilityPolicy",
                       "The immutability policy state cannot be changed once Locked.", "service"),
    "locked": (409, "ScopeLocked",
               "The scope '{id}' cannot perform {verb} operation because following scope(s) are locked: '{scopes}'. Please "
               "remove the lock and try again.", "gateway"),
    "lab_cannot": (501, "NotImplementedByLab", "{text}", "service"),
}


class ArmError(Exception):
    """An answer of Azure that is an error. `details` are (code, message) pairs."""

    def __init__(self, status: int, code: str, message: str, *, target: str | None = None,
                 details: list[dict[str, Any]] | None = None, source: str = "service",
                 headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.target = status, code, message, target
        self.details, self.source, self.headers = details, source, headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON that goes over the wire."""
        error: dict[str, Any] = {"code": self.code}
        if self.target is not None:
            error["target"] = self.target
        error["message"] = self.message
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}


def arm_error(key: str, *, target: str | None = None, details: list[dict[str, Any]] | None = None,
              headers: dict[str, str] | None = None, **fields: Any) -> ArmError:
    """An error of the table with its fields filled in. Raises KeyError for a key that is not there."""
    status, code, text, source = TABLE[key]
    fields.setdefault("target", target)
    return ArmError(status, code, text.format(**fields), target=target, details=details, source=source,
                    headers=headers)


def network_error(key: str, **fields: Any) -> ArmError:
    """Microsoft.Network's errors always carry `details`, empty when there are none."""
    details = fields.pop("details", [])
    return arm_error(key, details=details, **fields)
