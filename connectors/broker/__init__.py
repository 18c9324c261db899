"""Kafka, both ways: tickets and posts in, results out. The one home of kafka-python.

settings    how to reach the broker, what to read           link       opening, and errors in our words
messages    one message's bytes → a signal, or rejected     consumer   a member of the group
producer    messages out, each stored before it counts      original   a message read again where it stands
"""

from connectors.broker.consumer import Offset, Polled, TicketConsumer
from connectors.broker.link import check
from connectors.broker.messages import read_message, schema
from connectors.broker.original import original
from connectors.broker.producer import Outgoing, Publisher
from connectors.broker.settings import BrokerSettings

__all__ = [
    "BrokerSettings",
    "Offset",
    "Outgoing",
    "Polled",
    "Publisher",
    "TicketConsumer",
    "check",
    "original",
    "read_message",
    "schema",
]
