//! Parts of the document that outlive what they were made from.

use std::borrow::Cow;

use super::conversation::{Body, Header, HttpRequest, HttpResponse, HttpTransaction, Message};
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
            ppp: self.ppp,
            chdlc: self.chdlc,
            wlan: self.wlan,
            arp: self.arp,
            outer: self.outer,
            ip: self.ip,
            ipv6: self.ipv6,
            tcp: self.tcp.map(Tcp::into_owned),
            udp: self.udp.map(Udp::into_owned),
            icmp: self.icmp.map(Icmp::into_owned),
            icmpv6: self.icmpv6.map(Icmp::into_owned),
            igmp: self.igmp,
            sctp: self.sctp,
            gre: self.gre,
            protocol: self.protocol,
            http: self.http.map(Http::into_owned),
            said: self.said,
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

impl Message<'_> {
    /// The same, with nothing borrowed.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            conversation: self.conversation,
            stream: self.stream,
            start_ms: self.start_ms,
            frames: self.frames,
            frames_more: self.frames_more,
            http: self.http.into_owned(),
        }
    }
}

impl HttpTransaction<'_> {
    fn into_owned(self) -> HttpTransaction<'static> {
        let interim = self.interim.into_iter();
        HttpTransaction {
            request: self.request.map(HttpRequest::into_owned),
            response: self.response.map(HttpResponse::into_owned),
            interim: interim.map(HttpResponse::into_owned).collect(),
            time_ms: self.time_ms,
            first_byte_ms: self.first_byte_ms,
            transfer_ms: self.transfer_ms,
            response_lost: self.response_lost,
            unread: self.unread,
            switches_to: self.switches_to.map(text),
            given_up: self.given_up,
        }
    }
}

impl HttpRequest<'_> {
    fn into_owned(self) -> HttpRequest<'static> {
        HttpRequest {
            method: text(self.method),
            uri: text(self.uri),
            version: text(self.version),
            frame: self.frame,
            headers: headers(self.headers),
            body: self.body.into_owned(),
            trouble: self.trouble,
        }
    }
}

impl HttpResponse<'_> {
    fn into_owned(self) -> HttpResponse<'static> {
        HttpResponse {
            code: self.code,
            phrase: text(self.phrase),
            version: text(self.version),
            frame: self.frame,
            headers: headers(self.headers),
            body: self.body.into_owned(),
            trouble: self.trouble,
        }
    }
}

impl Body<'_> {
    fn into_owned(self) -> Body<'static> {
        Body {
            len: self.len,
            complete: self.complete,
            sha256: self.sha256,
            trailers: headers(self.trailers),
            trouble: self.trouble.map(text),
            cut: self.cut,
        }
    }
}

fn headers(headers: Vec<Header<'_>>) -> Vec<Header<'static>> {
    let owned = |header: Header<'_>| Header {
        name: text(header.name),
        value: text(header.value),
    };
    headers.into_iter().map(owned).collect()
}
