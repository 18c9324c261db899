"""Opening a client, closing what it leaves behind, and kafka-python's errors in our words."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from kafka import KafkaConsumer  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    AuthorizationError,
    KafkaConfigurationError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedCodecError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.net.manager import KafkaConnectionManager  # type: ignore[import-untyped]
from kafka.net.selector import NetworkSelector  # type: ignore[import-untyped]

from connectors.broker.settings import BrokerSettings
from connectors.ports import ConnectorError, Refused, Unreachable

CHECK_S = 5.0
BOOTSTRAP_S = 10.0
TALKATIVE = ("kafka.protocol.parser", "kafka.net.connection")
"""Loggers that write every byte on the wire at DEBUG, the password's too: they stay at INFO."""
FILES = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile")
NOT_LET_IN = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, AuthorizationError)


def check(settings: BrokerSettings) -> str | None:
    """None when the broker answers and knows the topics, else one sentence that says what to mend."""
    try:
        with translated(settings):
            limits = {"bootstrap_timeout_ms": int(CHECK_S * 1000), "metrics_enabled": False}
            consumer = opened(KafkaConsumer, **(common(settings) | limits))
            try:
                missing = sorted({*settings.reads, *settings.writes} - set(consumer.topics()))
            finally:
                consumer.close(autocommit=False, timeout_ms=1_000)
    except ConnectorError as error:
        return str(error)
    return f"Kafka {settings.bootstrap} 没有主题 {'、'.join(missing)}；先建立它" if missing else None


def common(settings: BrokerSettings) -> dict[str, Any]:
    """kafka-python's settings that every client of ours shares. YAML has no tuples: lists become them."""
    security = {name: tuple(v) if isinstance(v, list) else v for name, v in settings.security.items()}
    for name in set(FILES) & set(security):
        if not Path(str(security[name])).is_file():
            raise Refused(f"kafka.security.{name}：没有文件 {security[name]}；放好它，或改这一行")
    return {
        "bootstrap_servers": settings.servers,
        "client_id": settings.client_id,
        "bootstrap_timeout_ms": int(BOOTSTRAP_S * 1000),
        "reconnect_backoff_max_ms": 2_000,  # a broker that is back is found within two seconds
        "metadata_max_age_ms": 30_000,  # and a topic that was made within thirty
        **security,
    }


def opened(kind: Any, *topics: str, **settings: Any) -> Any:
    """A client of `kind`. kafka-python leaves its thread and sockets behind when a broker does not
    answer, and says only that it timed out: close them, and say what the last connection died of."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
    if not settings.get("proxy_url"):
        _knock(settings["bootstrap_servers"], _tls(settings))
    networks: list[_Network] = []

    def network(**config: Any) -> _Network:
        networks.append(_Network(**config))
        return networks[-1]

    try:
        return kind(*topics, **settings, kafka_client=network)
    except Exception as error:  # noqa: BLE001  it is raised again, or what is behind it
        why = next((found for one in networks if (found := one.connections.why())), None)
        for one in networks:
            one.close()
        raise (why if why is not None and isinstance(error, KafkaTimeoutError) else error) from None


class _Connections(KafkaConnectionManager):  # type: ignore[misc]
    """Remembers the connection of the bootstrap, and does not try a wrong password again and again:
    brokers lock accounts for that."""

    _tried: Any = None

    def get_connection(self, *place: Any, **more: Any) -> Any:
        if self.bootstrapped:
            return super().get_connection(*place, **more)
        why = self.why()
        if isinstance(why, NOT_LET_IN):
            raise why
        self._tried = super().get_connection(*place, **more)
        return self._tried

    def why(self) -> Exception | None:
        """What the last connection died of. A broker answers a wrong password and hangs up; which of
        the two kafka-python sees first is chance."""
        found = self._tried.init_future.exception if self._tried else None
        if self.config["sasl_mechanism"] and "socket disconnected" in str(found):
            words = f"it hung up while we logged in by {self.config['sasl_mechanism']}"
            hung_up: Exception = SaslAuthenticationFailedError(words)
            return hung_up
        return found if isinstance(found, Exception) else None


class _Network(KafkaNetClient):  # type: ignore[misc]
    """kafka-python's own, with our connections, and with `allow_auto_create_topics` handed on, which
    kafka-python 3.0 reads and then forgets."""

    def __init__(self, **config: Any) -> None:
        net = NetworkSelector(**config)
        self.connections = _Connections(net, **config)
        super().__init__(net=net, manager=self.connections, **config)
        self.cluster.config["allow_auto_create_topics"] = config.get("allow_auto_create_topics", True)


def _knock(servers: list[str], tls: ssl.SSLContext | None) -> None:
    """Is anybody there, and do we trust them? Asked with a socket of our own first, since kafka-python
    tries for long and leaves every refused socket open. Raises OSError when no server will do."""
    last: OSError | None = None
    for server in servers:
        name, _, port = server.rpartition(":")
        host = (name or server).strip("[]")
        try:
            with socket.create_connection((host, int(port) if name else 9092), CHECK_S) as plain:
                if tls is not None:
                    tls.wrap_socket(plain, server_hostname=host).close()
                return
        except OSError as error:
            last = error
    raise last or OSError("no address is set")


def _tls(settings: dict[str, Any]) -> ssl.SSLContext | None:
    """The context that kafka-python will make of the same settings; None without TLS."""
    if settings.get("security_protocol") not in ("SSL", "SASL_SSL"):
        return None
    if settings.get("ssl_context") is not None:
        return cast(ssl.SSLContext, settings["ssl_context"])
    context = ssl.create_default_context(cafile=settings.get("ssl_cafile"))
    context.check_hostname = bool(settings.get("ssl_check_hostname", True))
    if settings.get("ssl_certfile"):
        context.load_cert_chain(
            settings["ssl_certfile"], settings.get("ssl_keyfile"), settings.get("ssl_password")
        )
    return context


@contextmanager
def translated(settings: BrokerSettings) -> Iterator[None]:
    """kafka-python's errors → ours, once: the place, what is wrong and the way out in Chinese, its own
    words in brackets."""
    place = f"Kafka {settings.bootstrap or '（没有地址）'}"
    try:
        yield
    except NOT_LET_IN as error:
        raise Refused(f"{place} 拒绝登录；核对 kafka.security 的用户名、密码和权限（{error}）") from None
    except UnknownTopicOrPartitionError as error:
        named = "、".join(map(str, error.args)) or "（没有说是哪个）"
        raise Refused(f"{place} 没有主题 {named}；先建立它，或改 kafka 的 topics") from None
    except UnsupportedCodecError as error:
        raise Refused(f"{place} 有消息解不开；生产者改用 gzip，或装上所用的解压库（{error}）") from None
    except MessageSizeTooLargeError as error:
        raise Refused(f"{place} 不收这么大的消息；调大主题的 max.message.bytes（{error}）") from None
    except FileNotFoundError as error:
        raise Refused(f"{place}：没有文件 {error.filename}；改 kafka.security") from None
    except ssl.SSLError as error:
        hint = "核对 security_protocol、ssl_cafile 和证书上的名字"
        raise Refused(f"{place} 的 TLS 不可信；{hint}（{error}）") from None
    except (KafkaConfigurationError, AssertionError, ValueError) as error:
        raise Refused(f"{place}：设置不能用；改 sources.yaml 或 site.yaml 的 kafka（{error}）") from None
    except (KafkaError, OSError) as error:
        raise Unreachable(f"{place} 没有应答；检查它是否在运行、网络是否通（{error}）") from None
