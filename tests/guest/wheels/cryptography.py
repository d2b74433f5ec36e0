"""cryptography: ciphers, hashes, signatures and certificates of its own OpenSSL and Rust."""

import datetime
import hashlib

from cryptography import exceptions, fernet, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

key, nonce, text = bytes(range(32)), bytes(range(12)), b"ring zero " * 5000


def shown(name: str, data: bytes) -> None:
    """A line that tells two results apart."""
    print(name, len(data), hashlib.sha256(data).hexdigest())


shown("AES-GCM", AESGCM(key).encrypt(nonce, text, b"also"))
shown("ChaCha20", ChaCha20Poly1305(key).encrypt(nonce, text, None))
encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
shown("AES-CBC", encryptor.update(text) + encryptor.finalize())
try:
    AESGCM(key).decrypt(nonce, text, None)
except exceptions.InvalidTag:
    print("a wrong tag is noticed")
for algorithm in (hashes.SHA512(), hashes.SHA3_256(), hashes.BLAKE2b(64), hashes.SHAKE256(40)):
    digest = hashes.Hash(algorithm)
    digest.update(text)
    print(algorithm.name, digest.finalize().hex())
print("HKDF", HKDF(hashes.SHA256(), 32, b"salt", b"info").derive(key).hex())
print("scrypt", Scrypt(b"salt", 32, 1 << 10, 8, 1).derive(b"secret").hex())

signer = ed25519.Ed25519PrivateKey.from_private_bytes(key)
signature = signer.sign(text)
print("Ed25519", signature.hex())
signer.public_key().verify(signature, text)
try:
    signer.public_key().verify(signature, text + b"!")
except exceptions.InvalidSignature:
    print("a wrong signature is noticed")
ours = x25519.X25519PrivateKey.from_private_bytes(key)
theirs = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
print("X25519", ours.exchange(theirs.public_key()).hex(),
      ours.exchange(theirs.public_key()) == theirs.exchange(ours.public_key()))  # fmt: skip
curve = ec.derive_private_key(int.from_bytes(key), ec.SECP256R1())
curve.public_key().verify(curve.sign(text, ec.ECDSA(hashes.SHA256())), text,
                          ec.ECDSA(hashes.SHA256()))  # fmt: skip
# Keys by chance: only what holds for all is said.
secret = rsa.generate_private_key(65537, 1024)
sealed = secret.public_key().encrypt(b"small", padding.OAEP(padding.MGF1(hashes.SHA1()),
                                                            hashes.SHA1(), None))  # fmt: skip
print("RSA", secret.decrypt(sealed, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)))
box = fernet.Fernet(fernet.Fernet.generate_key())
print("Fernet", box.decrypt(box.encrypt(text)) == text)

name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "größer")])
start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(signer.public_key())
    .serial_number(7)
    .not_valid_before(start)
    .not_valid_after(start + datetime.timedelta(days=1))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("ovum.example")]), critical=False)
    .sign(signer, None)
)
packed = certificate.public_bytes(serialization.Encoding.PEM)
shown("certificate", packed)
read = x509.load_pem_x509_certificate(packed)
read.verify_directly_issued_by(certificate)
print(read.subject, read.extensions[0].value, read.not_valid_after_utc)
try:
    x509.load_pem_x509_certificate(packed[:200])
except ValueError as error:
    print("ValueError", str(error).splitlines()[0])
