"""The broker's `server.properties`: one node that is broker and controller, on loopback only, quick to come back."""

from __future__ import annotations

TEMPLATE = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
# relative to where the broker runs, so that any folder will do, one with a comma in its name too
log.dirs=data
# topics are made on purpose, never by a typing error
auto.create.topics.enable=false
# after a SIGKILL the new broker is let in when the dead one's session ends
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
# one node: one copy of everything, and no waiting for consumers that might still come
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# the cleaner of compacted topics takes 128 MB of the heap otherwise
log.cleaner.dedupe.buffer.size=16777216
"""


def server_properties(port: int, controller_port: int) -> str:
    """The whole file, for a broker that clients reach at 127.0.0.1:`port`."""
    return TEMPLATE.format(port=port, controller_port=controller_port)
