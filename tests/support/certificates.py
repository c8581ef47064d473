"""Certificates that their own key has signed, for servers in tests."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InternalError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

HOUR = timedelta(hours=1)


def write_certificate(folder: Path, stem: str, host: str) -> Path:
    """Write `stem.crt` and `stem.key`, valid for an hour; return the certificate."""
    key = _new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR)
        .not_valid_after(now + HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.crt"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key_path = path.with_suffix(".key")
    key_path.write_bytes(private)
    key_path.chmod(0o600)
    return path


def _new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key; skip the test in Wine, where OpenSSL 4 has no random numbers."""
    try:
        return ec.generate_private_key(ec.SECP256R1())
    except InternalError as error:
        if sys.platform == "win32" and "entropy source strength" in str(error):
            pytest.skip("OpenSSL has no source of random numbers here, as in Wine")
        raise
