import TestNamespace
import Testing
import Wire

/// PROXY protocol version 2: byte for byte from wire.md.
@Suite struct ProxyHeaderBinaryTests {
    private static let signature = "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A"
    private let four = ProxyHeader.Addresses(
        source: IPEndpoint(.one, port: 56324), destination: IPEndpoint(.two, port: 443))
    private let six = ProxyHeader.Addresses(
        source: IPEndpoint(.six, port: 65535), destination: IPEndpoint(.otherSix, port: 1))

    @Test func the_checksum_is_castagnolis() {
        #expect(CRC32C.checksum(Array("123456789".utf8).span) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32).span) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32).span, zeroes: 0..<32) == 0x8A91_36AA)
    }

    @Test func reads_ipv4() {
        let bytes = hex(
            """
            \(Self.signature) 21 11 00 0C   # PROXY, IPv4 stream, 12 bytes follow
            C0 00 02 01 C6 33 64 02 DC 04 01 BB
            """)
        expectComplete(bytes, ProxyHeader(addresses: four), ProxyHeader.parse)
    }

    @Test func reads_ipv6() {
        let bytes = hex(
            """
            \(Self.signature) 21 21 00 24
            20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01
            20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 FF
            FF FF 00 01
            """)
        expectComplete(bytes, ProxyHeader(addresses: six), ProxyHeader.parse)
    }

    @Test func a_unix_peer_has_no_address() {
        let bytes = hex("\(Self.signature) 21 31 00 D8") + [UInt8](repeating: 0x2F, count: 216)
        expectComplete(bytes, ProxyHeader(addresses: nil), ProxyHeader.parse)
    }

    @Test func a_local_header_is_skipped_with_what_it_has() {
        for body in [[], [1, 2, 3], [UInt8](repeating: 7, count: 300)] as [[UInt8]] {
            let bytes = hex("\(Self.signature) 20 00") + [UInt8(body.count >> 8), UInt8(body.count & 255)] + body
            expectComplete(bytes, ProxyHeader(addresses: nil, isLocal: true), ProxyHeader.parse)
        }
        expectComplete(
            hex("\(Self.signature) 20 11 00 00"), ProxyHeader(addresses: nil, isLocal: true), ProxyHeader.parse)
    }

    @Test func unspecified_and_datagrams_have_no_address() {
        expectComplete(hex("\(Self.signature) 21 00 00 00"), ProxyHeader(addresses: nil), ProxyHeader.parse)
        expectComplete(
            hex("\(Self.signature) 21 12 00 0C C0 00 02 01 C6 33 64 02 DC 04 01 BB"), ProxyHeader(addresses: nil),
            ProxyHeader.parse)
    }

    @Test func reads_what_follows_the_addresses() {
        let bytes = hex(
            """
            \(Self.signature) 21 11 00 22 C0 00 02 01 C6 33 64 02 DC 04 01 BB
            01 00 02 68 32          # ALPN h2
            05 00 03 61 62 63       # unique id abc
            04 00 02 00 00          # padding
            E2 00 03 01 01 02       # ours: version 1, multipath, 2 subflows
            """)
        var header = ProxyHeader(
            addresses: four,
            items: [
                .init(type: 1, value: [0x68, 0x32]), .init(type: 5, value: [0x61, 0x62, 0x63]),
                .init(type: 4, value: [0, 0]),
            ])
        header.append(ProxyHeader.Multipath(isMultipath: true, subflows: 2))
        expectComplete(bytes, header, ProxyHeader.parse)
        #expect(header.uniqueID == [0x61, 0x62, 0x63])
        #expect(header.multipath == .init(isMultipath: true, subflows: 2))
    }

    @Test func writes_and_reads_back() {
        for addresses in [four, six] {
            var header = ProxyHeader(addresses: addresses, items: [.init(type: 5, value: [9, 8, 7])])
            header.append(ProxyHeader.Multipath(isMultipath: false, subflows: 0))
            expectComplete(header.binary(), header, ProxyHeader.parse)
        }
        expectComplete(
            ProxyHeader(addresses: nil).binary(), ProxyHeader(addresses: nil), ProxyHeader.parse)
        expectComplete(
            ProxyHeader(addresses: nil, isLocal: true).binary(), ProxyHeader(addresses: nil, isLocal: true),
            ProxyHeader.parse)
    }

    @Test func writes_these_bytes() {
        let bytes = ProxyHeader(addresses: four).binary()
        let expected = hex(
            "\(Self.signature) 21 11 00 13 C0 00 02 01 C6 33 64 02 DC 04 01 BB 03 00 04 00 00 00 00")
        #expect(bytes.count == expected.count)
        #expect(Array(bytes.dropLast(4)) == Array(expected.dropLast(4)))
        let sum = CRC32C.checksum(expected.span)
        #expect(Array(bytes.suffix(4)) == [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) })
    }

    @Test func a_wrong_checksum_is_refused_at_every_bit() {
        let good = ProxyHeader(addresses: four, items: [.init(type: 2, value: Array("a.example".utf8))]).binary()
        // Seven bytes from the end it says that it is a checksum.
        for index in 16..<good.count where index != good.count - 7 {
            var bad = good
            bad[index] ^= 1
            if case .complete = parse(bad, ProxyHeader.parse) { Issue.record("byte \(index)") }
        }
    }

    @Test func a_checksum_comes_once_and_with_four_bytes() {
        let start = "21 11 00 10 C0 00 02 01 C6 33 64 02 DC 04 01 BB"
        expectMalformed(
            hex("\(Self.signature) \(start) 03 00 01 00"), .length, ProxyHeader.parse)
        let twice = hex("\(Self.signature) 21 00 00 0E 03 00 04 00 00 00 00 03 00 04 00 00 00 00")
        if case .complete = parse(twice, ProxyHeader.parse) { Issue.record("taken twice") }
    }

    @Test func lengths_that_do_not_fit() {
        // Too short for the addresses: said as soon as the length is there.
        expectMalformed(
            hex("\(Self.signature) 21 11 00 0B") + Array(repeating: 0, count: 11), .length, ProxyHeader.parse)
        expectMalformed(
            hex("\(Self.signature) 21 21 00 23") + Array(repeating: 0, count: 35), .length, ProxyHeader.parse)
        expectMalformed(
            hex("\(Self.signature) 21 31 00 0C") + Array(repeating: 0, count: 12), .length, ProxyHeader.parse)
        for tail in ["01", "01 00", "01 00 01", "01 00 02 41"] {
            let item = hex(tail)
            expectMalformed(
                hex("\(Self.signature) 21 00 00") + [UInt8(item.count)] + item, .length, ProxyHeader.parse)
        }
        expectMalformed(
            hex("\(Self.signature) 21 00 00 84 05 00 81") + Array(repeating: 1, count: 129), .uniqueID,
            ProxyHeader.parse)
    }

    @Test func other_versions_commands_and_families() {
        for byte in ["11", "31", "22", "2F", "01"] {
            expectMalformed(hex("\(Self.signature) \(byte) 11 00 00"), .command, ProxyHeader.parse)
        }
        for byte in ["41", "13", "1F", "F1"] {
            expectMalformed(hex("\(Self.signature) 21 \(byte) 00 00"), .family, ProxyHeader.parse)
        }
        for index in 1..<12 {
            var bytes = hex("\(Self.signature) 21 11 00 0C C0 00 02 01 C6 33 64 02 DC 04 01 BB")
            bytes[index] ^= 0x20
            expectMalformed(bytes, .signature, ProxyHeader.parse)
        }
    }

    @Test func the_largest_header_is_read() {
        let value = [UInt8](repeating: 5, count: 65535 - 3)
        let bytes = hex("\(Self.signature) 21 00 FF FF E0 FF FC") + value
        #expect(
            parse(bytes, ProxyHeader.parse)
                == .complete(
                    ProxyHeader(addresses: nil, items: [.init(type: 0xE0, value: value)]), length: 16 + 65535))
        #expect(parse(bytes.dropLast(), ProxyHeader.parse) == .needMore)
    }

    @Test func random_bytes_do_no_harm() {
        let good = ProxyHeader(addresses: six, items: [.init(type: 5, value: [1])]).binary()
        var mutations = Mutations(seed: 8803)
        for _ in 0..<20_000 { _ = parse(mutations.mutate(good), ProxyHeader.parse) }
    }
}
