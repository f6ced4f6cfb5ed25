import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** A certificate as PEM, and the private key that belongs to it. */
export type Identity = { readonly certificate: string; readonly key: KeyObject };

/** Unix times in milliseconds. */
export type Life = { readonly from: number; readonly to: number };

/** A new authority with a new key (ECDSA P-256) that may only sign certificates of servers, not other authorities. */
export function newAuthority(name: string, life: Life): Identity {
  const { publicKey, privateKey } = newKeys();
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyId(publicKey))),
  ];
  const signing = { issuer: name, key: privateKey };
  return { certificate: issue({ subject: name, publicKey, life, extensions }, signing), key: privateKey };
}

/** A certificate of the authority for one host, a name or an address (RFC 5280, RFC 9525). */
export function newLeaf(authority: Identity, authorityName: string, host: string, life: Life): Identity {
  const { publicKey, privateKey } = newKeys();
  const name = isIP(host) === 0 ? new GeneralName({ dNSName: host }) : new GeneralName({ iPAddress: host });
  const issuerKey = createPublicKey(authority.key);
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    // Critical where the subject is empty (RFC 5280 4.2.1.6); long names do not fit a common name.
    extension(id_ce_subjectAltName, new SubjectAlternativeName([name]), true),
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyId(issuerKey)) }),
    ),
  ];
  const signing = { issuer: authorityName, key: authority.key };
  return { certificate: issue({ subject: undefined, publicKey, life, extensions }, signing), key: privateKey };
}

const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

type Subject = {
  readonly subject: string | undefined;
  readonly publicKey: KeyObject;
  readonly life: Life;
  readonly extensions: readonly Extension[];
};

const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";

function issue(of: Subject, by: { readonly issuer: string; readonly key: KeyObject }): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 });
  const serial = randomBytes(16);
  // A serial number is positive and its encoding the shortest (RFC 5280 4.1.2.2).
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const unsigned = new TBSCertificate({
    version: Version.v3,
    serialNumber: exactly(serial),
    signature: algorithm,
    issuer: nameOf(by.issuer),
    validity: new Validity({ notBefore: new Date(of.life.from), notAfter: new Date(of.life.to) }),
    subject: nameOf(of.subject),
    subjectPublicKeyInfo: AsnConvert.parse(spki(of.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([...of.extensions]),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(unsigned)), by.key);
  const certificate = new Certificate({
    tbsCertificate: unsigned,
    signatureAlgorithm: algorithm,
    signatureValue: exactly(signature),
  });
  const lines = Buffer.from(AsnConvert.serialize(certificate))
    .toString("base64")
    .replace(/.{64}(?!$)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string | undefined): Name {
  if (commonName === undefined) return new Name([]);
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])]);
}

function extension(id: string, value: object, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** RFC 5280 4.2.1.2 asks for a hash of the key. */
const keyId = (key: KeyObject) => exactly(createHash("sha256").update(spki(key)).digest().subarray(0, 20));

const spki = (key: KeyObject) => key.export({ format: "der", type: "spki" });

/** Buffers may be parts of a larger store. */
const exactly = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer;
