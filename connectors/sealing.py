"""Words in a box that only the site's key opens: AES-256-GCM, bound to the row that it belongs to.

The only home of `cryptography`, so that the boxes of the chats (AES-CBC, by their documents) are opened here
too. The site's key is derived (HKDF-SHA256) from the site's secret, which stays
outside of the database; a box names its key, so that a wrong one is told from a damaged box.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connectors.ports import Refused

LEAST = 16
"""Characters of a secret; `huiying secret` makes one of 32 random bytes."""
_NONCE = 12
_PURPOSE = b"huiying personal data v1"


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens with one key; usable from many threads."""

    key_id: str
    _cipher: AESGCM = field(repr=False)

    def seal(self, uid: str, words: Mapping[str, Any]) -> bytes:
        """`words` (JSON-ready) as a box that opens for `uid` only."""
        nonce = os.urandom(_NONCE)
        plain = json.dumps(words, ensure_ascii=False).encode("utf-8", "replace")
        return nonce + self._cipher.encrypt(nonce, plain, uid.encode())

    def open(self, uid: str, key_id: str, box: bytes) -> dict[str, Any]:
        """The words of a box. Raises Refused for another key's box and for a damaged one."""
        if key_id != self.key_id:
            raise Refused(
                f"{uid} 是用另一把密钥({key_id})加密的，现在的是 {self.key_id}；请换回原来的 personal_key"
            )
        try:
            plain = self._cipher.decrypt(box[:_NONCE], box[_NONCE:], uid.encode())
        except InvalidTag:
            raise Refused(f"{uid} 的加密原文已损坏或被改动；请从备份恢复") from None
        found: dict[str, Any] = json.loads(plain)
        return found


def sealer(secret: str) -> Sealer:
    """The sealer of a site's secret. Raises Refused when it is too short to be one."""
    if len(secret) < LEAST:
        raise Refused(
            f"personal_key 只有 {len(secret)} 个字符，至少要 {LEAST} 个；用 huiying secret 生成一个"
        )
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Sealer(hashlib.sha256(key).hexdigest()[:12], AESGCM(key))


def cbc_open(key: bytes, vector: bytes, box: bytes, block: int = 16) -> bytes:
    """What is in a box by AES-CBC, its padding (PKCS #7 to `block` bytes) taken off. Raises Refused. It bears no
    mark of its own: whoever asks has verified a signature over it."""
    if not box or len(box) % 16 or len(vector) != 16:
        raise Refused("加密的内容已损坏；请对方重发")
    opening = Cipher(AES(key), CBC(vector)).decryptor()
    plain = opening.update(box) + opening.finalize()
    pad = plain[-1]
    if not 1 <= pad <= block or plain[-pad:] != bytes([pad]) * pad:
        raise Refused("加密的内容已损坏；请对方重发")
    return plain[:-pad]


def cbc_seal(key: bytes, vector: bytes, plain: bytes, block: int = 16) -> bytes:
    """`plain` as AES-CBC seals it, padded to `block` bytes."""
    pad = block - len(plain) % block
    closing = Cipher(AES(key), CBC(vector)).encryptor()
    return closing.update(plain + bytes([pad]) * pad) + closing.finalize()


def new_key() -> str:
    """A private key that neighbours know by its public half: 32 random bytes in base64."""
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def public_of(private: str) -> str:
    """The public half of a private key, in base64. Raises Refused when it is none."""
    return base64.b64encode(_private(private).public_key().public_bytes_raw()).decode()


def signed(private: str, content: bytes) -> str:
    """The Ed25519 signature of `content`, in base64. Raises Refused for a key that is none."""
    return base64.b64encode(_private(private).sign(content)).decode()


def is_signed(public: str, content: bytes, signature: str) -> bool:
    """Whether whoever has the private half of `public` signed just these bytes."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _private(text: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise Refused(
            "levels.private_key 不是私钥；用 huiying neighbour key 生成一把，放进环境变量或文件"
        ) from None
