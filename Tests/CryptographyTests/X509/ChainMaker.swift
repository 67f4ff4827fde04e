// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

@testable import Cryptography

/// Certificates that Python's cryptography made, once a run: a small farm of authorities and what they issued, good
/// and bad. All are valid from 2024-01-01 for ten years, unless the name says otherwise.
struct ChainMaker: Decodable, Sendable {
    /// What Python read back from a certificate.
    struct Facts: Decodable, Sendable {
        var serial: String
        var subject: String
        var issuer: String
        var notBefore: Int64
        var notAfter: Int64
        var names: [String]
        var authority: Bool?
        var pathLength: Int?
        var usages: [String]?
        var extendedUsages: [String]?
        var subjectKey: String?
        var authorityKey: String?
        var fingerprint: String
        var algorithm: String
        var spki: Data
        var tbs: Data
    }

    var certificates: [String: Data]
    var facts: [String: Facts]
    var lists: [String: Data]

    static let made: Result<ChainMaker, any Error> = Result {
        let output = try Command.python(script)
        return try JSONDecoder().decode(ChainMaker.self, from: Data(output.stdout))
    }

    static func certificate(_ name: String) throws -> Certificate {
        guard let data = try made.get().certificates[name] else { throw CocoaError(.coderValueNotFound) }
        let bytes = [UInt8](data)
        return try Certificate(der: bytes.span)
    }

    static func list(_ name: String) throws -> CertificateRevocationList {
        guard let data = try made.get().lists[name] else { throw CocoaError(.coderValueNotFound) }
        let bytes = [UInt8](data)
        return try CertificateRevocationList(der: bytes.span)
    }

    static let script = #"""
        import base64, datetime, ipaddress, json, os, subprocess, tempfile
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization as s
        from cryptography.hazmat.primitives.asymmetric import rsa, ec, ed25519
        from cryptography.x509.oid import NameOID, ExtendedKeyUsageOID as U, ObjectIdentifier

        start = datetime.datetime(2024, 1, 1)
        def days(n): return start + datetime.timedelta(days=n)
        def der(c): return c.public_bytes(s.Encoding.DER)
        def name(cn): return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Böhme, Söhne + Co \"Farm\""), x509.NameAttribute(NameOID.COMMON_NAME, cn)])
        keys = {}
        def key(which):
            if which not in keys:
                keys[which] = (rsa.generate_private_key(65537, int(which[3:7])) if which.startswith("rsa") else
                    ed25519.Ed25519PrivateKey.generate() if which.startswith("ed") else
                    ec.generate_private_key(ec.SECP384R1()) if which.startswith("p384") else ec.generate_private_key(ec.SECP256R1()))
            return keys[which]
        serial = [0x8000]
        certificates = {}
        def usage(*bits): return x509.KeyUsage(**{k: k in bits for k in ("digital_signature", "content_commitment", "key_encipherment",
            "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")})
        def make(label, subject, subject_key, issuer, issuer_key, ca=None, path=None, uses=None, bits=None, begin=0, end=3650,
                 sans=None, extra=(), hash=hashes.SHA256(), strict=True, bc_critical=True):
            serial[0] += 1
            builder = (x509.CertificateBuilder().subject_name(name(subject) if subject else x509.Name([])).issuer_name(name(issuer))
                .public_key(key(subject_key).public_key()).serial_number(serial[0]).not_valid_before(days(begin)).not_valid_after(days(end)))
            if ca is not None: builder = builder.add_extension(x509.BasicConstraints(ca, path), bc_critical)
            if bits: builder = builder.add_extension(usage(*bits), True)
            if uses: builder = builder.add_extension(x509.ExtendedKeyUsage(uses), False)
            if sans: builder = builder.add_extension(x509.SubjectAlternativeName(sans), False)
            if strict:
                builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key(subject_key).public_key()), False)
                builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer_key).public_key()), False)
            for extension, critical in extra: builder = builder.add_extension(extension, critical)
            signer = key(issuer_key)
            made = builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hash)
            certificates[label] = made
            return made
        authority = dict(ca=True, bits=("key_cert_sign", "crl_sign"))
        def leaf(label, issuer="Issuing", issuer_key="issuing", **more):
            more = {**dict(uses=[U.SERVER_AUTH], bits=("digital_signature",), ca=False, sans=[x509.DNSName("a.example.com")]), **more}
            return make(label, more.pop("subject", label), more.pop("key", "leaf"), issuer, issuer_key, **more)

        make("root", "Root", "root", "Root", "root", **authority)
        make("other-root", "Other", "other", "Other", "other", **authority)
        make("issuing", "Issuing", "issuing", "Root", "root", path=0, **authority)
        make("issuing-by-other", "Issuing", "issuing", "Other", "other", path=0, **authority)
        make("issuing-expired", "Issuing", "issuing", "Root", "root", path=0, end=30, **authority)
        make("below", "Below", "below", "Issuing", "issuing", **authority)
        make("limited", "Limited", "limited", "Root", "root", extra=[(x509.NameConstraints([x509.DNSName("example.com")], None), True)], **authority)
        make("no-sign", "NoSign", "nosign", "Root", "root", ca=True, bits=("crl_sign",))
        make("no-authority", "NoAuthority", "noauthority", "Root", "root", ca=False, bits=("digital_signature",))
        make("code-issuing", "Code", "code", "Root", "root", uses=[U.CODE_SIGNING], **authority)
        make("server-issuing", "Servers", "servers", "Root", "root", uses=[U.SERVER_AUTH], **authority)
        make("rsa-root", "RSA", "rsa2048", "RSA", "rsa2048", **authority)
        make("ed-root", "Ed", "ed", "Ed", "ed", **authority)
        make("p384-root", "P384", "p384", "P384", "p384", hash=hashes.SHA384(), **authority)
        make("loose-root", "Loose", "loose", "Loose", "loose", strict=False, ca=True)
        leaf("server")
        leaf("client", uses=[U.CLIENT_AUTH], sans=[x509.UniformResourceIdentifier("spiffe://farm/worker/7"), x509.DNSName("w7.example.com")])
        leaf("code", uses=[U.CODE_SIGNING], sans=None)
        leaf("stamp", uses=[U.TIME_STAMPING], sans=None, bits=("digital_signature",)) if False else make("stamp", "stamp", "leaf", "Issuing", "issuing",
            ca=False, bits=("digital_signature",), extra=[(x509.ExtendedKeyUsage([U.TIME_STAMPING]), True)])
        leaf("code-without-signature", uses=[U.CODE_SIGNING], bits=("key_encipherment",))
        leaf("no-uses", uses=None)
        leaf("expired", end=30)
        leaf("future", begin=3000)
        leaf("below-leaf", "Below", "below")
        leaf("inside", "Limited", "limited", sans=[x509.DNSName("deep.example.com")])
        leaf("outside", "Limited", "limited", sans=[x509.DNSName("example.org")])
        leaf("by-no-sign", "NoSign", "nosign")
        leaf("by-no-authority", "NoAuthority", "noauthority")
        leaf("code-by-code", "Code", "code", uses=[U.CODE_SIGNING])
        leaf("code-by-servers", "Servers", "servers", uses=[U.CODE_SIGNING])
        leaf("critical", extra=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)])
        leaf("not-critical", extra=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), False)])
        leaf("rsa-leaf", "RSA", "rsa2048", key="rsa3072")
        leaf("rsa-weak", "RSA", "rsa2048", key="rsa1024")
        leaf("ed-leaf", "Ed", "ed", key="ed2")
        leaf("p384-leaf", "P384", "p384", key="p384b", hash=hashes.SHA384())
        leaf("loose-leaf", "Loose", "loose", strict=False)
        leaf("revoked"); leaf("held")
        leaf("names", sans=[x509.DNSName("*.example.com"), x509.RFC822Name("a@example.com"), x509.UniformResourceIdentifier("https://example.com/x?y"),
            x509.IPAddress(ipaddress.ip_address("192.0.2.7")), x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
            x509.DirectoryName(name("inner")), x509.RegisteredID(ObjectIdentifier("1.2.3.4")),
            x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03upn")])
        leaf("far", end=365000)
        leaf("no-subject", subject=None, extra=())
        make("alone", "Alone", "leaf", "Alone", "leaf", ca=False, bits=("digital_signature",), sans=[x509.DNSName("a")])
        make("every-usage", "Every", "leaf", "Issuing", "issuing", ca=False, bits=("digital_signature", "content_commitment",
            "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"))
        good = der(certificates["server"])
        tampered = bytearray(good); place = good.index(b"a.example.com"); tampered[place] = ord("b")

        # The openssl command signs with weak hashes and writes version 1.
        tmp = tempfile.mkdtemp()
        def path(n): return os.path.join(tmp, n)
        def openssl(*args): subprocess.run(["openssl", *args], check=True, capture_output=True)
        open(path("k"), "wb").write(key("rsa2048").private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
        open(path("root"), "wb").write(certificates["rsa-root"].public_bytes(s.Encoding.PEM))
        openssl("req", "-new", "-key", path("k"), "-subj", "/CN=md5", "-out", path("csr"))
        open(path("ext"), "w").write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=DNS:a\n")
        for weak in ["md5", "sha1"]:
            openssl("x509", "-req", "-in", path("csr"), "-" + weak, "-days", "3000", "-CA", path("root"), "-CAkey", path("k"),
                "-set_serial", "7", "-extfile", path("ext"), "-outform", "DER", "-out", path(weak))
        openssl("x509", "-req", "-in", path("csr"), "-sha256", "-days", "3000", "-CA", path("root"), "-CAkey", path("k"),
            "-set_serial", "7", "-outform", "DER", "-out", path("version1"))

        def crl(issuer, issuer_key, revoked=(), begin=0, end=3650, number=1):
            builder = x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(days(begin)).next_update(days(end))
            for label, reason in revoked:
                entry = x509.RevokedCertificateBuilder().serial_number(certificates[label].serial_number).revocation_date(days(1))
                if reason: entry = entry.add_extension(x509.CRLReason(reason), False)
                builder = builder.add_revoked_certificate(entry.build())
            builder = builder.add_extension(x509.CRLNumber(number), False).add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer_key).public_key()), False)
            return base64.b64encode(builder.sign(key(issuer_key), hashes.SHA256()).public_bytes(s.Encoding.DER)).decode()
        lists = {
            "root": crl("Root", "root"), "issuing": crl("Issuing", "issuing", [("revoked", x509.ReasonFlags.key_compromise), ("held", None)], number=0x1234),
            "issuing-old": crl("Issuing", "issuing", end=30), "issuing-forged": crl("Issuing", "other"),
        }

        import hashlib, calendar
        def seconds(t): return calendar.timegm(t.utctimetuple())
        def text(n):
            if isinstance(n, x509.DNSName): return "dns:" + n.value
            if isinstance(n, x509.RFC822Name): return "email:" + n.value
            if isinstance(n, x509.UniformResourceIdentifier): return "uri:" + n.value
            if isinstance(n, x509.IPAddress): return "ip:" + (str(n.value) if n.value.version == 4 else ":".join("%x" % int(g, 16) for g in n.value.exploded.split(":")))
            if isinstance(n, x509.DirectoryName): return "directory:" + n.value.rfc4514_string()
            return "other"
        def facts(c):
            def find(t):
                try: return c.extensions.get_extension_for_class(t).value
                except x509.ExtensionNotFound: return None
            bc, ku, eku, san = find(x509.BasicConstraints), find(x509.KeyUsage), find(x509.ExtendedKeyUsage), find(x509.SubjectAlternativeName)
            ski, aki = find(x509.SubjectKeyIdentifier), find(x509.AuthorityKeyIdentifier)
            usages = None
            if ku:
                usages = [k for k in ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                    "key_cert_sign", "crl_sign") if getattr(ku, k)]
                if ku.key_agreement: usages += [k for k in ("encipher_only", "decipher_only") if getattr(ku, k)]
            return {"serial": "%0*x" % ((c.serial_number.bit_length() + 7) // 8 * 2, c.serial_number), "subject": c.subject.rfc4514_string(),
                "issuer": c.issuer.rfc4514_string(), "notBefore": seconds(c.not_valid_before_utc), "notAfter": seconds(c.not_valid_after_utc),
                "names": [text(n) for n in san] if san else [], "authority": bc.ca if bc else None, "pathLength": bc.path_length if bc else None,
                "usages": usages, "extendedUsages": [u.dotted_string for u in eku] if eku else None,
                "subjectKey": ski.digest.hex() if ski else None, "authorityKey": aki.key_identifier.hex() if aki else None,
                "fingerprint": hashlib.sha256(der(c)).hexdigest(), "algorithm": c.signature_algorithm_oid.dotted_string,
                "spki": base64.b64encode(c.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)).decode(),
                "tbs": base64.b64encode(c.tbs_certificate_bytes).decode()}
        files = {k: base64.b64encode(der(c)).decode() for k, c in certificates.items()}
        files["tampered"] = base64.b64encode(bytes(tampered)).decode()
        for label in ["md5", "sha1", "version1"]: files[label] = base64.b64encode(open(path(label), "rb").read()).decode()
        print(json.dumps({"certificates": files, "lists": lists, "facts": {k: facts(c) for k, c in certificates.items()}}))
        """#
}
