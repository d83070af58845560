"""The port table of a stack and its offset."""

import socket

import pytest

from devstack.ports import Ports, is_free, pick_free_port, pick_free_ports


class TestPorts:
    def test_without_an_offset_they_are_the_documented_ones(self):
        ports = Ports()
        assert (ports.http("gateway"), ports.metrics("gateway")) == (8000, 9000)
        assert (ports.http("exchange"), ports.metrics("exchange")) == (8050, 9050)
        assert ports.worker_metrics("exchange") == 9051
        assert (ports.issuer, ports.postgres) == (8090, 5439)
        assert (ports.kafka, ports.kafka_controller) == (9292, 9293)

    def test_the_offset_shifts_every_port(self):
        plain, shifted = Ports().all(), Ports(offset=300).all()
        assert {port + 300: name for port, name in plain.items()} == shifted

    def test_no_two_things_share_a_port(self):
        assert len(Ports().all()) == 4 + 6 * 2 + 5

    @pytest.mark.parametrize("offset", [-1, 60_000])
    def test_an_offset_out_of_range_is_refused(self, offset):
        with pytest.raises(ValueError, match="offset"):
            Ports(offset=offset)


class TestFree:
    def test_a_listening_port_is_taken(self):
        with socket.socket() as listener:
            port = pick_free_port()
            listener.bind(("127.0.0.1", port))
            listener.listen()
            assert not is_free(port)

    def test_a_picked_block_is_free_and_below_the_outgoing_range(self):
        ports = pick_free_ports()
        assert ports.taken() == {}
        assert max(ports.all()) < 32_768
