//! What is sent arrives unchanged, wherever writes and reads cut the bytes.

use bytes::{Bytes, BytesMut};
use nano_protocol::ProtocolError;
use nano_protocol::codec::HeaderBlock;
use nano_protocol::frame::{FrameHeader, HEADER_LEN, Kind, MAX_STREAM_ID};
use nano_protocol::limits::MAX_HEADERS;
use nano_protocol::message::RequestId;
use nano_protocol::outbox::Outbox;
use proptest::collection::vec;
use proptest::prelude::*;
use strum::VariantArray as _;

use crate::frames::{Fields, Sent, arrive, block, drain, joined, take_fields, wire};
use crate::generated;

fn header() -> impl Strategy<Value = FrameHeader> {
    (prop::sample::select(Kind::VARIANTS), any::<bool>(), 1..=MAX_STREAM_ID, any::<prop::sample::Index>())
        .prop_map(|(kind, end, stream, length)| FrameHeader {
            length: length.index(kind.limit() + 1),
            kind,
            end: end && kind.may_end(),
            stream: if kind.is_stream() { stream } else { 0 },
        })
}

proptest! {
    #[test]
    fn a_frame_header_comes_back_as_it_was(header in header()) {
        let mut bytes = BytesMut::new();
        header.encode(&mut bytes);
        prop_assert_eq!(&bytes[..], &header.to_bytes()[..]);
        prop_assert_eq!(FrameHeader::decode(&header.to_bytes()).unwrap(), header);
    }

    #[test]
    fn a_frame_header_has_one_encoding_only(bytes in any::<[u8; HEADER_LEN]>(), tame in any::<bool>()) {
        let mut bytes = bytes;
        if tame {
            // Random bytes are hardly ever a valid header. With these zeros, they often are.
            bytes[1..4].fill(0);
            bytes[4] %= 48;
            bytes[5] &= 1;
        }
        if let Ok(header) = FrameHeader::decode(&bytes) {
            prop_assert_eq!(header.to_bytes(), bytes);
            prop_assert!(header.length <= header.kind.limit());
            prop_assert_eq!(header.kind.is_stream(), header.stream != 0);
        }
    }

    #[test]
    fn every_control_message_comes_back_as_it_was(message in generated::control(), pieces in vec(1..64_usize, 0..64)) {
        let sent = [Sent::Control(message)];
        prop_assert_eq!(arrive(&wire(&sent), &pieces).unwrap(), sent);
    }

    #[test]
    fn frames_arrive_in_order_and_whole_however_reads_and_writes_cut_them(
        sent in vec(generated::frame(), 0..24),
        writes in vec(1..5000_usize, 0..64),
        pieces in vec(1..5000_usize, 0..64),
    ) {
        let mut outbox = Outbox::default();
        let mut total = 0;
        for frame in &sent {
            prop_assert_eq!(outbox.position(), total);
            frame.put(&mut outbox).unwrap();
            total = outbox.len() as u64;
        }
        prop_assert!(!outbox.has_written_beyond(0));
        let bytes = drain(&mut outbox, &writes);
        prop_assert_eq!(bytes.len() as u64, total);
        prop_assert_eq!(outbox.has_written_beyond(0), total > 0);
        prop_assert!(!outbox.has_written_beyond(total));
        prop_assert_eq!(joined(arrive(&bytes, &pieces).unwrap()), joined(sent));
    }

    #[test]
    fn frames_arrive_byte_by_byte(sent in vec(generated::frame(), 0..4)) {
        let bytes = wire(&sent);
        prop_assert_eq!(joined(arrive(&bytes, &vec![1; bytes.len()]).unwrap()), joined(sent));
    }

    #[test]
    fn frames_queued_between_partial_writes_stay_in_order(
        sent in vec((generated::frame(), 0..3000_usize), 0..32),
    ) {
        let mut outbox = Outbox::default();
        let mut bytes = Vec::new();
        for (frame, written) in &sent {
            frame.put(&mut outbox).unwrap();
            let mut slices = Outbox::empty_slices();
            let used = outbox.slices(&mut slices);
            let taken: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.iter()).copied().take(*written).collect();
            outbox.advance(taken.len());
            bytes.extend(taken);
        }
        bytes.extend(drain(&mut outbox, &[]));
        let sent = sent.into_iter().map(|(frame, _)| frame).collect();
        prop_assert_eq!(joined(arrive(&bytes, &[]).unwrap()), joined(sent));
    }

    #[test]
    fn an_unfinished_frame_is_noticed(sent in generated::frame(), cut in any::<prop::sample::Index>()) {
        let bytes = wire(&[sent]);
        let cut = cut.index(bytes.len());
        let arrived = arrive(&bytes[..cut], &[]);
        if cut == 0 {
            prop_assert!(arrived.unwrap().is_empty());
        } else {
            prop_assert!(matches!(arrived, Err(ProtocolError::Disconnected)));
        }
    }

    #[test]
    fn header_blocks_keep_every_byte_of_every_field(fields in generated::fields()) {
        let block = block(&fields);
        prop_assert_eq!(block.iter().unwrap().remaining(), fields.len());
        prop_assert_eq!(take_fields(&block).unwrap(), fields);
    }

    #[test]
    fn a_request_id_reads_the_same_in_headers_and_logs(id in any::<u128>()) {
        let id = RequestId(id);
        prop_assert_eq!(id.hex().to_vec(), id.to_string().into_bytes());
    }
}

#[test]
fn a_header_block_holds_as_many_fields_as_are_allowed() {
    let fields: Fields = (0..MAX_HEADERS).map(|n| (n.to_string().into_bytes(), vec![0xff])).collect();
    assert_eq!(take_fields(&block(&fields)).unwrap(), fields);
}

#[test]
fn no_bytes_at_all_are_an_empty_header_block() {
    assert_eq!(take_fields(&HeaderBlock::new(Bytes::new())).unwrap(), []);
    assert_eq!(take_fields(&HeaderBlock::default()).unwrap(), []);
}
