//! Fields of TLS: records and, before they are encrypted, handshakes and alerts.

use std::ops::ControlFlow;

use crate::message::tls::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, ClientHello, HANDSHAKE, Handshake, Hello, Record,
    ServerHello,
};
use crate::message::{Part, PartOf};

use super::fields::{Extract, Field, FieldValue, Kind, Names, Needs, Out, View, number};

const VERSIONS: Names = &[
    ("SSL 3.0", 0x0300),
    ("TLS 1.0", 0x0301),
    ("TLS 1.1", 0x0302),
    ("TLS 1.2", 0x0303),
    ("TLS 1.3", 0x0304),
];

const CONTENT_TYPES: Names = &[
    ("Change Cipher Spec", CHANGE_CIPHER_SPEC as u32),
    ("Alert", ALERT as u32),
    ("Handshake", HANDSHAKE as u32),
    ("Application Data", APPLICATION_DATA as u32),
];

pub(super) const TLS: &[Field] = &[
    field(
        "tls",
        Kind::Protocol,
        "Transport Layer Security",
        |v, out| {
            parts(v, |_, sent| out.give(Some(FieldValue::whole(sent))));
        },
    ),
    field("tls.record", Kind::Label, "a record", |v, out| {
        marks(v, out, |_| 1)
    }),
    field(
        "tls.record.content_type",
        Kind::Unsigned(8),
        "20 change of cipher, 21 alert, 22 handshake, 23 application data; in TLS 1.3 what is \
         encrypted has tls.record.opaque_type",
        |v, out| {
            records(v, out, |r, out| {
                out.extend((!r.is_opaque).then(|| number(r.content_type)))
            })
        },
    )
    .names(CONTENT_TYPES),
    field(
        "tls.record.opaque_type",
        Kind::Unsigned(8),
        "what stands for the type of an encrypted record of TLS 1.3: 23",
        |v, out| {
            records(v, out, |r, out| {
                out.extend(r.is_opaque.then(|| number(r.content_type)))
            })
        },
    )
    .names(CONTENT_TYPES),
    field(
        "tls.record.version",
        Kind::Unsigned(16),
        "version of a record: 0x0303 is TLS 1.2, and since then all",
        |v, out| records(v, out, |r, out| out.push(number(r.version))),
    )
    .names(VERSIONS),
    field(
        "tls.record.length",
        Kind::Unsigned(16),
        "bytes of a record behind its header",
        |v, out| records(v, out, |r, out| out.push(number(r.length))),
    ),
    field(
        "tls.app_data",
        Kind::Bytes,
        "encrypted application data",
        |v, out| {
            parts(v, |record, sent| {
                let is_data = record.content_type == 23;
                let bytes = sent.get(5..).filter(|_| is_data);
                out.give(bytes.map(FieldValue::bytes))
            });
        },
    ),
    field(
        "tls.change_cipher_spec",
        Kind::Label,
        "from here on this way is encrypted",
        |v, out| {
            marks(v, out, |r| {
                usize::from(r.content_type == CHANGE_CIPHER_SPEC)
            })
        },
    ),
    field("tls.alert_message", Kind::Label, "an alert", |v, out| {
        marks(v, out, |r| usize::from(r.content_type == ALERT))
    }),
    field(
        "tls.alert_message.level",
        Kind::Unsigned(8),
        "1 warning, 2 fatal",
        |v, out| records(v, out, |r, out| out.extend(r.alert.map(|a| number(a.0)))),
    )
    .names(&[("Warning", 1), ("Fatal", 2)]),
    field(
        "tls.alert_message.desc",
        Kind::Unsigned(8),
        "what an alert says: 0 close, 40 handshake failure, 48 unknown CA",
        |v, out| records(v, out, |r, out| out.extend(r.alert.map(|a| number(a.1)))),
    ),
    field(
        "tls.handshake",
        Kind::Label,
        "a handshake message, or an encrypted record of such",
        |v, out| {
            marks(v, out, |r| match r.content_type {
                HANDSHAKE if r.is_encrypted => 1,
                HANDSHAKE => r.handshakes.len(),
                _ => 0,
            })
        },
    ),
    field(
        "tls.handshake.type",
        Kind::Unsigned(8),
        "1 client hello, 2 server hello, 11 certificate, 16 client key exchange",
        |v, out| handshakes(v, out, |h, out| out.push(number(h.kind))),
    ),
    field(
        "tls.handshake.length",
        Kind::Unsigned(32),
        "bytes of a handshake message behind its header",
        |v, out| handshakes(v, out, |h, out| out.push(number(h.length))),
    ),
    field(
        "tls.handshake.version",
        Kind::Unsigned(16),
        "version of a hello: in TLS 1.3 that of TLS 1.2",
        |v, out| {
            hellos(v, out, |hello, out| {
                out.push(number(match hello {
                    Hello::Client(ClientHello { version, .. })
                    | Hello::Server(ServerHello { version, .. }) => *version,
                }));
            })
        },
    )
    .names(VERSIONS),
    field(
        "tls.handshake.ciphersuite",
        Kind::Unsigned(16),
        "cipher suites that a client offers, or the one that a server chose",
        |v, out| {
            hellos(v, out, |hello, out| match hello {
                Hello::Client(hello) => out.extend(hello.cipher_suites.iter().map(|s| number(*s))),
                Hello::Server(hello) => out.push(number(hello.cipher_suite)),
            })
        },
    ),
    field(
        "tls.handshake.extensions_server_name",
        Kind::Text,
        "the host that a client asks for (SNI)",
        |v, out| {
            hellos(v, out, |hello, out| {
                if let Hello::Client(hello) = hello {
                    out.extend(hello.server_name.as_deref().map(FieldValue::text));
                }
            })
        },
    ),
    field(
        "tls.handshake.extensions_alpn_str",
        Kind::Text,
        "application protocols that are offered, or the one that was chosen (ALPN)",
        |v, out| {
            hellos(v, out, |hello, out| match hello {
                Hello::Client(hello) => {
                    out.extend(hello.alpn.iter().map(|name| FieldValue::text(name)));
                }
                Hello::Server(hello) => out.extend(hello.alpn.as_deref().map(FieldValue::text)),
            })
        },
    ),
    field(
        "tls.handshake.extensions.supported_version",
        Kind::Unsigned(16),
        "versions that a client offers, or the one that a server chose, since TLS 1.3",
        |v, out| {
            hellos(v, out, |hello, out| match hello {
                Hello::Client(hello) => {
                    out.extend(hello.supported_versions.iter().map(|v| number(*v)));
                }
                Hello::Server(hello) => out.extend(hello.supported_version.map(number)),
            })
        },
    )
    .names(VERSIONS),
];

const fn field(name: &'static str, kind: Kind, meaning: &'static str, extract: Extract) -> Field {
    Field::new(name, kind, meaning, extract).needs(Needs::CARRIED)
}

/// Hands over the records that the packet completes, with their bytes.
fn parts<'a>(v: &View<'a>, mut each: impl FnMut(&'a Record, &'a [u8]) -> ControlFlow<()>) {
    v.known
        .carried(v.index, &mut |part: &'a Part| match &part.message {
            PartOf::Tls(record, _) => each(record, &part.sent),
            _ => ControlFlow::Continue(()),
        });
}

fn records<'a>(v: &View<'a>, out: &mut Out<'a, '_>, values: impl Fn(&'a Record, &mut Out<'a, '_>)) {
    parts(v, |record, _| {
        values(record, out);
        out.go_on()
    });
}

/// A mark for each of so many parts of a record.
fn marks<'a>(v: &View<'a>, out: &mut Out<'a, '_>, count: impl Fn(&'a Record) -> usize) {
    records(v, out, |record, out| {
        let mark = std::iter::repeat_with(|| FieldValue::bytes(&[]));
        out.extend(mark.take(count(record)));
    });
}

fn handshakes<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    values: impl Fn(&'a Handshake, &mut Out<'a, '_>),
) {
    records(v, out, |record, out| {
        for handshake in &record.handshakes {
            values(handshake, out);
        }
    });
}

fn hellos<'a>(v: &View<'a>, out: &mut Out<'a, '_>, values: impl Fn(&'a Hello, &mut Out<'a, '_>)) {
    handshakes(v, out, |handshake, out| {
        if let Some(hello) = &handshake.hello {
            values(hello, out);
        }
    });
}
