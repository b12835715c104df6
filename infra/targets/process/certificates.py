"""The certificate with which the ports of one unit know each other: its own, private, made at each start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.model.unit import Unit
from infra.targets.process import modes
from infra.targets.process.account import ids

FILE = "INFRA_CERTIFICATE_FILE"
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # RFC 5280 4.1.2.5: it has no expiration date


def write(unit: Unit) -> None:
    """Write the certificate and the key of a unit that names a file for them, in its account's own folder."""
    file = dict(unit.environment).get(FILE)
    if file:
        modes.write(Path(file), self_signed(unit.name), modes.PRIVATE, ids(unit.user))


def self_signed(name: str) -> str:
    """Give a certificate that is its own root and lasts as long as its file, and its key, as one PEM text.

    Whoever trusts it alone knows its holder, as server and as client, under whatever address.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509.oid import NameOID

    key = Ed25519PrivateKey.generate()
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(whose, whose, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))  # a clock may be set back
        .not_valid_after(NEVER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    pem = serialization.Encoding.PEM
    kept = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (certificate.public_bytes(pem) + kept).decode()
