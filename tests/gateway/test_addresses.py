"""Whose address counts when load balancers stand in between."""

from ipaddress import ip_network

import pytest

from gateway.addresses import UNKNOWN, client_address, limit_key

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "forwarded_for", "expected"),
        [
            ("203.0.113.9", None, "203.0.113.9"),
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.2", None, "10.0.0.2"),
            ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.2", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.2", "1.2.3.4, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
            ("10.0.0.2", "198.51.100.1, not-an-address", "10.0.0.2"),
            ("10.0.0.2", "10.0.0.3", "10.0.0.3"),
            ("fd00::1", "2001:db8::7", "2001:db8::7"),
            ("", "198.51.100.1", ""),
        ],
    )
    def test_only_trusted_hands_are_believed(self, peer, forwarded_for, expected):
        assert client_address(peer, forwarded_for, TRUSTED) == expected


class TestLimitKey:
    @pytest.mark.parametrize(
        ("address", "key"),
        [
            ("198.51.100.1", "198.51.100.1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("", UNKNOWN),
            ("testclient", UNKNOWN),
        ],
    )
    def test_one_bucket_per_customer(self, address, key):
        assert limit_key(address) == key
