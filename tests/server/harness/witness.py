#!/usr/bin/env python3
"""A witness for tests: it signs the checkpoint that it is shown, with a time, without asking.

  witness.py key NAME                 its verifier key
  witness.py sign NAME TIME < NOTE    its signature line (c2sp.org/tlog-cosignature)

The secret is made from the name, so that the same name is the same witness.
"""
import base64
import sys
from hashlib import sha256, sha512
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "utils"))
from verify_proof import BASE, L, P, times  # noqa: E402


def encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def keys(seed):
    digest = sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:], encode(times(scalar, BASE))


def sign(seed, message):
    scalar, prefix, public = keys(seed)
    nonce = int.from_bytes(sha512(prefix + message).digest(), "little") % L
    point = encode(times(nonce, BASE))
    h = int.from_bytes(sha512(point + public + message).digest(), "little") % L
    return point + ((nonce + h * scalar) % L).to_bytes(32, "little")


def main():
    what, name = sys.argv[1:3]
    seed = sha256(name.encode()).digest()
    data = b"\x04" + keys(seed)[2]
    key_id = sha256(name.encode() + b"\n" + data).digest()[:4]
    if what == "key":
        print(f"{name}+{key_id.hex()}+{base64.b64encode(data).decode()}")
        return
    time = int(sys.argv[3])
    text = sys.stdin.buffer.read().decode().rpartition("\n\n\u2014")[0].partition("\n\n")[0] + "\n"
    signature = sign(seed, f"cosignature/v1\ntime {time}\n{text}".encode())
    line = base64.b64encode(key_id + time.to_bytes(8, "big") + signature).decode()
    sys.stdout.buffer.write(f"\u2014 {name} {line}\n".encode())


if __name__ == "__main__":
    main()
