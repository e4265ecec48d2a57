# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which refusals pass by themselves, and how long each is waited for."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._azure import retry
from ansible_collections.dockhost.azure.plugins.module_utils._errors import from_body

REFERENCED = {"error": {"code": "RetryableError", "message": "A retryable error occurred.", "details": [
    {"code": "ReferencedResourceNotProvisioned", "message": "Cannot proceed with operation because resource /x is not in Succeeded state."},
]}}
ANOTHER = {"error": {"code": "RetryableError", "message": "A retryable error occurred.", "details": [
    {"code": "RetryableErrorDueToAnotherOperation", "message": "Operation PutX is ongoing. It can be retried in 11 seconds."},
]}}
COMPUTE = {"code": "OperationNotAllowed", "message": "too many requests", "details": [{"code": "TooManyRequests", "target": "HighCostGet"}]}


def error(code, message="x"):
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize("status, headers, body, attempt, expected", [
    (429, {}, REFERENCED, 1, (0.5, "ReferencedResourceNotProvisioned", False)),
    (429, {}, REFERENCED, 99, (5.0, "ReferencedResourceNotProvisioned", False)),
    (429, {}, ANOTHER, 1, (11.0, "RetryableErrorDueToAnotherOperation", False)),
    (429, {"retry-after": "7"}, ANOTHER, 1, (7.0, "RetryableErrorDueToAnotherOperation", False)),
    (409, {}, error("AnotherOperationInProgress"), 2, (1.0, "AnotherOperationInProgress", False)),
    (409, {}, error("Conflict", "Concurrent request conflict"), 1, (0.5, "Conflict", False)),
    (409, {}, error("Conflict", "The name is taken"), 1, None),
    (429, {"retry-after": "17"}, error("SubscriptionRequestsThrottled"), 1, (17.0, "throttled", True)),
    (429, {"retry-after": "17"}, COMPUTE, 40, (17.0, "throttled", True)),
    (429, {"retry-after": "17"}, COMPUTE, 41, None),
    (500, {}, "<html>", 1, (0.5, "HTTP 500", False)),
    (503, {"retry-after": "3"}, None, 1, (3.0, "HTTP 503", False)),
    (503, {}, None, 7, None),
    (409, {}, error("OperationNotAllowed", "exceeding quota"), 1, None),
    (400, {}, error("InvalidParameter"), 1, None),
    (404, {}, error("ResourceNotFound"), 1, None),
])
def test_decisions(status, headers, body, attempt, expected):
    found = retry.decide(status, headers, from_body(status, body), attempt, 1.0)
    assert (found and (found.delay, found.cause, found.bucket)) == expected


def test_what_never_ends_is_given_up():
    assert retry.decide(429, {}, from_body(429, REFERENCED), 1000, retry.BUSY_SECONDS + 1) is None


@pytest.mark.parametrize("headers, expected", [
    ({"retry-after": "3"}, 3.0), ({"retry-after": "0"}, None), ({}, None), ({"retry-after": "soon"}, None),
    ({"x-ms-retry-after-ms": "1500"}, 1.5),
])
def test_retry_after(headers, expected):
    assert retry.retry_after(headers) == expected
