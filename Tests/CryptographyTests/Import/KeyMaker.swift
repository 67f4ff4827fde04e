// SPDX-License-Identifier: Apache-2.0

import Foundation
import Secrets
import TestSupport

@testable import Cryptography

/// Keys that Python's cryptography and the openssl command made, in every encoding, once a run.
struct KeyMaker: Decodable, Sendable {
    struct Key: Decodable, Sendable {
        /// Hexadecimal numbers: n and e, x and y, or the point.
        var numbers: [String: String]
        var spki: Data
        var files: [String: File]
    }

    struct File: Decodable, Sendable {
        var bytes: Data
        var passphrase: String?
    }

    var keys: [String: Key]
    /// Files with something wrong, by name.
    var bad: [String: File]
    /// RSA keys with a flaw: n, e, d, p, q in hexadecimal.
    var flawed: [String: [String: String]]

    static let made: Result<KeyMaker, any Error> = Result {
        let output = try Command.python(script)
        return try JSONDecoder().decode(KeyMaker.self, from: Data(output.stdout))
    }

    static func key(_ algorithm: KeyAlgorithm) throws -> Key {
        guard let key = try made.get().keys[algorithm.rawValue] else {
            throw CocoaError(.coderValueNotFound)
        }
        return key
    }

    static let script = #"""
        import base64, json, os, subprocess, tempfile
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization as s
        from cryptography.hazmat.primitives.asymmetric import rsa, ec, ed25519, ed448, x25519, dsa
        from cryptography.hazmat.primitives.serialization import pkcs12
        from cryptography.x509.oid import NameOID
        import datetime

        tmp = tempfile.mkdtemp()
        secret = "korrekt Pferd ä"
        def path(name): return os.path.join(tmp, name)
        def openssl(*args, data=b""):
            run = subprocess.run(["openssl", *args], input=data, capture_output=True)
            if run.returncode: raise SystemExit("openssl %s: %s" % (args, run.stderr.decode()))
            return run.stdout
        def file(data, passphrase=None):
            return {"bytes": base64.b64encode(data).decode(), "passphrase": passphrase}
        def hexadecimal(v): return "%0*x" % ((v.bit_length() + 7) // 8 * 2, v)
        none = s.NoEncryption()
        best = s.BestAvailableEncryption(secret.encode())
        made = {
            "rsa-2048": rsa.generate_private_key(65537, 2048), "rsa-3072": rsa.generate_private_key(65537, 3072),
            "rsa-4096": rsa.generate_private_key(65537, 4096), "p-256": ec.generate_private_key(ec.SECP256R1()),
            "p-384": ec.generate_private_key(ec.SECP384R1()), "ed25519": ed25519.Ed25519PrivateKey.generate(),
        }
        def certificate(key, name="leaf"):
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
            now = datetime.datetime(2024, 1, 1)
            return (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
                .serial_number(4711).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=36500))
                .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()))
        keys = {}
        for name, key in made.items():
            public = key.public_key()
            if name.startswith("rsa"):
                p = public.public_numbers(); numbers = {"n": hexadecimal(p.n), "e": hexadecimal(p.e)}
                q = key.private_numbers()
                numbers |= {"d": hexadecimal(q.d), "p": hexadecimal(q.p), "q": hexadecimal(q.q)}
            elif name.startswith("p-"):
                p = public.public_numbers(); w = key.key_size // 4
                numbers = {"x": "%0*x" % (w, p.x), "y": "%0*x" % (w, p.y)}
                numbers["scalar"] = "%0*x" % (w, key.private_numbers().private_value)
            else:
                numbers = {"point": public.public_bytes(s.Encoding.Raw, s.PublicFormat.Raw).hex()}
                numbers["seed"] = key.private_bytes(s.Encoding.Raw, s.PrivateFormat.Raw, none).hex()
            der = key.private_bytes(s.Encoding.DER, s.PrivateFormat.PKCS8, none)
            pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, none)
            files = {
                "pkcs8.der": file(der), "pkcs8.pem": file(pem),
                "pkcs8-crlf.pem": file(pem.replace(b"\n", b"\r\n")),
                "pkcs8-text-before.pem": file(b"Bag Attributes\n    friendlyName: x\nKey Attributes: <No Attributes>\n" + pem),
                "encrypted-python.der": file(key.private_bytes(s.Encoding.DER, s.PrivateFormat.PKCS8, best), secret),
                "encrypted-python.pem": file(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, best), secret),
                "pkcs12-python": file(pkcs12.serialize_key_and_certificates(b"n", key, certificate(key), [certificate(made["p-256"], "other")], best), secret),
                "pkcs12-python-3des": file(pkcs12.serialize_key_and_certificates(b"n", key, certificate(key), None,
                    s.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2000).key_cert_algorithm(
                    pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1()).build(b"secret")), "secret"),
            }
            open(path("k.pem"), "wb").write(pem)
            open(path("c.pem"), "wb").write(certificate(key).public_bytes(s.Encoding.PEM))
            for sort, options in {"aes128": ["-v2", "aes-128-cbc"], "aes256-sha512": ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"],
                "3des": ["-v2", "des3"], "scrypt": ["-scrypt"], "pbes1-3des": ["-v1", "PBE-SHA1-3DES"]}.items():
                for form in ["PEM", "DER"]:
                    files["encrypted-%s.%s" % (sort, form.lower())] = file(openssl("pkcs8", "-topk8", "-in", path("k.pem"), *options,
                        "-passout", "pass:" + secret, "-outform", form), secret)
            export = ["pkcs12", "-export", "-inkey", path("k.pem"), "-in", path("c.pem"), "-passout", "pass:" + secret]
            files["pkcs12-openssl"] = file(openssl(*export), secret)
            files["pkcs12-open-certificates"] = file(openssl(*export, "-certpbe", "NONE"), secret)
            files["pkcs12-open-key"] = file(openssl(*export, "-keypbe", "NONE", "-certpbe", "NONE"), secret)
            if name != "ed25519":
                traditional = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, none)
                files["traditional.pem"] = file(traditional)
                files["traditional.der"] = file(key.private_bytes(s.Encoding.DER, s.PrivateFormat.TraditionalOpenSSL, none))
                tool = "rsa" if name.startswith("rsa") else "ec"
                flags = ["-traditional"] if tool == "rsa" else []
                for cipher in ["aes128", "aes192", "aes256", "des3"]:
                    files["legacy-%s.pem" % cipher] = file(openssl(tool, "-in", path("k.pem"), "-" + cipher, *flags,
                        "-passout", "pass:" + secret), secret)
                if tool == "ec":
                    curve = {"p-256": "prime256v1", "p-384": "secp384r1"}[name]
                    parameters = openssl("ecparam", "-name", curve)
                    files["parameters-and-sec1.pem"] = file(parameters + traditional)
                    files["sec1-compressed.der"] = file(openssl("ec", "-in", path("k.pem"), "-conv_form", "compressed", "-outform", "DER"))
                    files["pkcs8-without-public.der"] = file(openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER",
                        data=openssl("ec", "-in", path("k.pem"), "-no_public")))
            keys[name] = {"numbers": numbers, "files": files,
                "spki": base64.b64encode(public.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)).decode()}

        def pkcs8(key, form=s.Encoding.DER): return key.private_bytes(form, s.PrivateFormat.PKCS8, none)
        p256 = pkcs8(made["p-256"], s.Encoding.PEM); p384 = pkcs8(made["p-384"], s.Encoding.PEM)
        locked = base64.b64decode(keys["p-256"]["files"]["encrypted-aes128.der"]["bytes"])
        bundle = base64.b64decode(keys["p-256"]["files"]["pkcs12-openssl"]["bytes"])
        der256 = pkcs8(made["p-256"])
        open(path("k.pem"), "wb").write(p256)
        open(path("c.pem"), "wb").write(certificate(made["p-256"]).public_bytes(s.Encoding.PEM))
        public_pem = made["p-256"].public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
        certificate_pem = certificate(made["p-256"]).public_bytes(s.Encoding.PEM)
        x, y = keys["p-384"]["numbers"]["x"], keys["p-384"]["numbers"]["y"]
        wrong_pair = pkcs8(made["p-384"]).replace(bytes.fromhex(x + y), bytes.fromhex(hexadecimal(
            ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers().x).zfill(96) + y))
        other = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
        other_pair = pkcs8(made["p-384"]).replace(bytes.fromhex(x + y), bytes.fromhex("%096x%096x" % (other.x, other.y)))
        p12 = lambda key, cert, cas: pkcs12.serialize_key_and_certificates(b"n", key, cert, cas, best)
        bad = {
            "two-keys": file(p256 + p384), "key-and-certificate": file(p256 + certificate_pem),
            "trailing-der": file(der256 + b"\0"), "trailing-pem": file(p256 + b"x"),
            "trailing-encrypted": file(locked + b"\0", secret),
            "truncated-der": file(der256[:-5]), "truncated-pem": file(p256[:-30]), "empty": file(b""),
            "text": file(b"no key at all\n"), "public-key": file(public_pem), "certificate": file(certificate_pem),
            "wrong-passphrase": file(locked, "no"), "no-passphrase": file(locked), "unneeded": file(der256, "no"),
            "unneeded-pem": file(p256, "no"),
            "pkcs12-wrong-passphrase": file(bundle, "no"), "pkcs12-no-passphrase": file(bundle),
            "pkcs12-trailing": file(bundle + b"\0", secret), "pkcs12-damaged": file(bundle[:-40] + bytes([bundle[-40] ^ 1]) + bundle[-39:], secret),
            "pkcs12-rc2": file(openssl("pkcs12", "-export", "-legacy", "-inkey", path("k.pem"), "-in", path("c.pem"), "-passout", "pass:x"), "x"),
            "pkcs12-without-key": file(pkcs12.serialize_key_and_certificates(b"n", None, certificate(made["p-256"]), None, best), secret),
            "pkcs8-rc2": file(openssl("pkcs8", "-topk8", "-in", path("k.pem"), "-v1", "PBE-SHA1-RC4-128", "-passout", "pass:x", "-outform", "DER",
                "-provider", "legacy", "-provider", "default"), "x"),
            "dsa": file(openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-out", path("d.pem"))
                or openssl("genpkey", "-paramfile", path("d.pem"))),
            "secp256k1": file(pkcs8(ec.generate_private_key(ec.SECP256K1()))), "p-521": file(pkcs8(ec.generate_private_key(ec.SECP521R1()))),
            "secp256k1-sec1": file(ec.generate_private_key(ec.SECP256K1()).private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, none)),
            "rsa-1024": file(openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")),
            "x25519": file(pkcs8(x25519.X25519PrivateKey.generate())), "ed448": file(pkcs8(ed448.Ed448PrivateKey.generate())),
            "explicit-parameters": file(openssl("ecparam", "-name", "prime256v1", "-genkey", "-param_enc", "explicit", "-noout")),
            "openssh": file(made["ed25519"].private_bytes(s.Encoding.PEM, s.PrivateFormat.OpenSSH, none)),
            "wrong-point": file(wrong_pair), "wrong-pair": file(other_pair),
            "legacy-wrong-passphrase": file(base64.b64decode(keys["p-256"]["files"]["legacy-aes256.pem"]["bytes"]), "no"),
            "legacy-no-passphrase": file(base64.b64decode(keys["p-256"]["files"]["legacy-aes256.pem"]["bytes"])),
        }

        # RSA keys that nobody should use.
        import math, random
        rnd = random.SystemRandom()
        def is_prime(n):
            if any(n % q == 0 for q in range(3, 400, 2)) or pow(2, n - 1, n) != 1: return False
            d, r = n - 1, 0
            while d % 2 == 0: d //= 2; r += 1
            for _ in range(6):
                a = pow(rnd.randrange(2, n - 1), d, n)
                if a in (1, n - 1): continue
                for _ in range(r - 1):
                    a = a * a % n
                    if a == n - 1: break
                else: return False
            return True
        spare = {512: [], 1024: []}
        def prime(bits=1024):
            if not spare[bits]:
                made = rsa.generate_private_key(65537, 2 * bits).private_numbers()
                spare[bits] += [made.p, made.q]
            return spare[bits].pop()
        def next_prime(p):
            p += 2
            while not is_prime(p) or math.gcd(p - 1, 65537) != 1: p += 2
            return p
        primorial, count, candidate = 1, 0, 2
        while count < 71:
            if all(candidate % q for q in range(2, candidate)): primorial *= candidate; count += 1
            candidate += 1
        def roca_prime():
            while True:
                low = pow(65537, rnd.getrandbits(200), primorial)
                k = rnd.randrange((3 << 1022) // primorial, (1 << 1024) // primorial)
                p = k * primorial + low
                if p.bit_length() == 1024 and math.gcd(p - 1, 65537) == 1 and is_prime(p): return p
        def numbers(p, q, e=65537, d=None, n=None):
            d = d or pow(e, -1, math.lcm(p - 1, q - 1))
            return {k: hexadecimal(v) for k, v in dict(n=n or p * q, e=e, d=d, p=p, q=q).items()}
        p, q = prime(), prime()
        def with_exponent(e):
            while True:
                p, q = prime(), prime()
                if math.gcd(e, (p - 1) * (q - 1)) == 1: return numbers(p, q, e)
        small_d = pow(2, 16) + 1
        def small_private():
            while True:
                p, q = prime(), prime(); phi = (p - 1) * (q - 1)
                d = rnd.getrandbits(400) | 1
                if math.gcd(d, phi) == 1:
                    # The public exponent is then long, which is a flaw of its own.
                    return numbers(p, q, pow(d, -1, phi), d)
        # Composite "primes" whose exponents still fit as the check of misfits sees it.
        def composite():
            while True:
                a, b = prime(512), prime(512)
                c = a * b
                if (p * c).bit_length() == 2048 and c.bit_length() == 1024 and math.gcd(c - 1, 65537) == 1: return c
        c = composite()
        flawed = {
            "good": numbers(p, q), "swapped": numbers(q, p), "roca": numbers(roca_prime(), roca_prime()),
            "close": numbers(p, next_prime(p)),
            "near": numbers(p, next_prime(p + (1 << 900))), "e=3": with_exponent(3),
            "e=even": numbers(p, q, 65537) | {"e": "010000"}, "e=80 bits": with_exponent((1 << 79) + 13 | 1),
            "other n": numbers(p, q, n=p * prime()), "other d": numbers(p, q) | {"d": numbers(p, prime())["d"]},
            "composite": numbers(p, c), "small d": small_private(),
            "1024": numbers(prime(512), prime(512)), "n=even": numbers(p, q) | {"n": hexadecimal(p * q + 1)},
            "factor 3": numbers(p, q) | {"n": hexadecimal((p * q) // 3 * 3 | 1 if (p * q) // 3 * 3 % 2 else (p * q) // 3 * 3 - 3)},
        }
        print(json.dumps({"keys": keys, "bad": bad, "flawed": flawed}))
        """#
}

extension KeyMaker.File {
    var data: [UInt8] { [UInt8](bytes) }
}

/// Bytes of a test as a secret.
func locked(_ bytes: [UInt8]) throws -> SecretBytes {
    try SecretBytes(capacity: bytes.count) { output in
        for byte in bytes { output.append(byte) }
    }
}
