//! A packet of the document that outlives the frame it was made from.

use std::borrow::Cow;

use super::packet::{
    Http, HttpRequestLine, HttpStatusLine, Icmp, Packet, Payload, Quoted, QuotedUdp, Tcp, Trouble,
    Udp,
};
use super::spelled::Hex;

fn text(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl Packet<'_> {
    /// The same, with nothing borrowed.
    pub fn into_owned(self) -> Packet<'static> {
        Packet {
            frame: self.frame,
            eth: self.eth,
            vlan: self.vlan,
            sll: self.sll,
            null: self.null,
            ip: self.ip,
            ipv6: self.ipv6,
            tcp: self.tcp.map(Tcp::into_owned),
            udp: self.udp.map(Udp::into_owned),
            icmp: self.icmp.map(Icmp::into_owned),
            icmpv6: self.icmpv6.map(Icmp::into_owned),
            http: self.http.map(Http::into_owned),
            conversation: self.conversation,
            from: self.from.map(text),
            to: self.to.map(text),
            after_stop: self.after_stop,
            trouble: self.trouble.map(Trouble::into_owned),
            comment: self.comment,
        }
    }
}

impl Tcp<'_> {
    fn into_owned(self) -> Tcp<'static> {
        Tcp {
            srcport: self.srcport,
            dstport: self.dstport,
            stream: self.stream,
            flags: self.flags,
            seq: self.seq,
            seq_raw: self.seq_raw,
            nxtseq: self.nxtseq,
            ack: self.ack,
            ack_raw: self.ack_raw,
            hdr_len: self.hdr_len,
            len: self.len,
            window_size_value: self.window_size_value,
            window_size: self.window_size,
            checksum: self.checksum,
            urgent_pointer: self.urgent_pointer,
            options: self.options,
            analysis: self.analysis,
            payload: self.payload.map(Payload::into_owned),
        }
    }
}

impl Udp<'_> {
    fn into_owned(self) -> Udp<'static> {
        Udp {
            srcport: self.srcport,
            dstport: self.dstport,
            stream: self.stream,
            length: self.length,
            checksum: self.checksum,
            payload: self.payload.map(Payload::into_owned),
        }
    }
}

impl Icmp<'_> {
    fn into_owned(self) -> Icmp<'static> {
        Icmp {
            kind: self.kind,
            code: self.code,
            name: text(self.name),
            checksum: self.checksum,
            ident: self.ident,
            seq: self.seq,
            mtu: self.mtu,
            quoted: self.quoted.map(Quoted::into_owned),
        }
    }
}

impl Quoted<'_> {
    fn into_owned(self) -> Quoted<'static> {
        Quoted {
            frame: self.frame,
            ip: self.ip,
            ipv6: self.ipv6,
            udp: self.udp.map(|udp| QuotedUdp {
                srcport: udp.srcport,
                dstport: udp.dstport,
                length: udp.length,
                payload: udp.payload.map(Payload::into_owned),
            }),
            tcp: self.tcp,
        }
    }
}

impl Payload<'_> {
    fn into_owned(self) -> Payload<'static> {
        Payload {
            text: self.text.map(text),
            hex: self.hex.map(Hex::into_owned),
            cut: self.cut,
        }
    }
}

impl Http<'_> {
    fn into_owned(self) -> Http<'static> {
        Http {
            request: self.request.map(|line| HttpRequestLine {
                method: text(line.method),
                uri: text(line.uri),
                version: text(line.version),
            }),
            response: self.response.map(|line| HttpStatusLine {
                code: line.code,
                phrase: text(line.phrase),
                version: text(line.version),
            }),
        }
    }
}

impl Trouble<'_> {
    fn into_owned(self) -> Trouble<'static> {
        match self {
            Trouble::Malformed { layer, reason } => Trouble::Malformed {
                layer: text(layer),
                reason: text(reason),
            },
            Trouble::Truncated { layer } => Trouble::Truncated { layer: text(layer) },
            Trouble::Encrypted { layer } => Trouble::Encrypted { layer: text(layer) },
            Trouble::Unknown { layer, number } => Trouble::Unknown {
                layer: text(layer),
                number,
            },
        }
    }
}
