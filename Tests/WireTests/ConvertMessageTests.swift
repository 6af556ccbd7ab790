import TestNamespace
import Testing
import Wire

/// RFC 8803, byte for byte from wire.md's tables.
@Suite struct ConvertMessageTests {
    private let connect = ConvertMessage([.connect(.init(IPEndpoint(.one, port: 443)))])

    @Test func success_is_the_bare_header() {
        #expect(ConvertMessage.success.bytes() == hex("01 01 22 63"))
        expectComplete(hex("01 01 22 63"), ConvertMessage(), ConvertMessage.parse)
    }

    @Test func connect_to_ipv4() {
        let bytes = hex(
            """
            01 06 22 63                                            # 6 words
            0A 05 01 BB                                            # Connect, 5 words, port 443
            00 00 00 00 00 00 00 00 00 00 FF FF C0 00 02 01        # ::ffff:192.0.2.1
            """)
        #expect(connect.bytes() == bytes)
        expectComplete(bytes, connect, ConvertMessage.parse)
    }

    @Test func connect_to_ipv6_with_options() {
        let bytes = hex(
            """
            01 08 22 63
            0A 07 00 50 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01
            02 04 05 B4 01 1E 02 00                                # MSS 1460, NOP, MPTCP without value, end
            """)
        let message = ConvertMessage([
            .connect(
                .init(
                    IPEndpoint(.six, port: 80),
                    options: [.init(kind: 2, value: [5, 0xB4]), .init(kind: 1), .init(kind: 30)]))
        ])
        expectComplete(bytes, message, ConvertMessage.parse)
        #expect(message.bytes() == bytes)
        #expect(ConvertMessage.unsupportedKinds(message.connect?.options ?? []) == [])
    }

    @Test func options_that_cannot_be_honoured() {
        let options: [ConvertMessage.TCPOption] = [
            .init(kind: 1), .init(kind: 30, value: [1]), .init(kind: 34), .init(kind: 8, value: [1]), .init(kind: 34),
            .init(kind: 5), .init(kind: 3, value: [7]),
        ]
        #expect(ConvertMessage.unsupportedKinds(options) == [30, 34, 8])
    }

    @Test func every_other_part() {
        let bytes = hex(
            """
            01 0A 22 63
            01 01 00 00                    # Info
            14 02 00 00 02 04 05 B4        # Extended TCP Header
            15 02 00 00 1E 00 00 00        # Supported: 30
            16 02 00 00 AA BB CC DD        # Cookie
            1E 02 40 07 00 00 00 00        # Error 64, 7 seconds
            """)
        let message = ConvertMessage([
            .info, .extendedHeader([2, 4, 5, 0xB4]), .supported([30, 0, 0, 0]), .cookie([0xAA, 0xBB, 0xCC, 0xDD]),
            .error(.resourceExceeded, value: [7, 0, 0, 0, 0]),
        ])
        expectComplete(bytes, message, ConvertMessage.parse)
        #expect(message.bytes() == bytes)
        #expect(message.asksForExtensions)
        #expect(
            ConvertMessage([ConvertMessage.supportedExtensions]).bytes() == hex("01 03 22 63 15 02 00 00 1E 00 00 00"))
    }

    @Test(
        arguments: [
            (0, [1], "01 02 22 63 1E 01 00 01"), (32, [0], "01 02 22 63 1E 01 20 00"),
            (33, [34, 8], "01 03 22 63 1E 02 21 22 08 00 00 00"),
            (64, [0], "01 02 22 63 1E 01 40 00"), (65, [30], "01 02 22 63 1E 01 41 1E"),
            (96, [0], "01 02 22 63 1E 01 60 00"),
            (97, [1], "01 02 22 63 1E 01 61 01"),
            (
                3, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
                "01 05 22 63 1E 04 03 00 01 02 03 04 05 06 07 08 09 0A 0B 0C"
            ),
        ] as [(UInt8, [UInt8], String)])
    func errors(code: UInt8, value: [UInt8], bytes: String) {
        let message = ConvertMessage.failure(ConvertErrorCode(rawValue: code), value)
        #expect(message.bytes() == hex(bytes))
        guard case .complete(let parsed, _) = parse(hex(bytes), ConvertMessage.parse) else {
            Issue.record("not read")
            return
        }
        #expect(parsed.error?.code.rawValue == code)
        #expect(parsed.error.map { Array($0.value.prefix(value.count)) } == value)
    }

    @Test func refusals_echo_the_message() {
        let wrong = hex("01 02 22 63 07 01 00 00")
        expectMalformed(wrong, .unsupported, ConvertMessage.parse)
        #expect(
            ConvertMessage.refusal(.unsupported, of: wrong.span).bytes()
                == hex("01 04 22 63 1E 03 02 00 01 02 22 63 07 01 00 00"))
        #expect(ConvertMessage.refusal(.version, of: [2, 1].span).bytes() == hex("01 02 22 63 1E 01 00 01"))
        let long = [UInt8](repeating: 0xEE, count: 1020)
        let refusal = ConvertMessage.refusal(.malformed, of: long.span).bytes()
        #expect(refusal.count == 1020)
        guard case .complete(let parsed, length: 1020) = parse(refusal, ConvertMessage.parse) else {
            Issue.record("the refusal itself is wrong")
            return
        }
        #expect(parsed.error?.value == [0] + long.prefix(1012))
    }

    @Test(arguments: [
        "01 00 22 63",  // no length
        "01 01 22 64", "01 01 23 63",  // magic
        "01 02 22 63 01 00 00 00",  // a part without length
        "01 02 22 63 01 02 00 00",  // a part that reaches past the message
        "01 03 22 63 01 01 00 00 01 01 00 00",  // twice
        "01 03 22 63 01 02 00 00 00 00 00 00",  // Info has no value
        "01 05 22 63 0A 04 01 BB 00 00 00 00 00 00 00 00 00 00 FF FF",  // Connect too short
        "01 06 22 63 0A 05 00 00 00 00 00 00 00 00 00 00 00 00 FF FF C0 00 02 01",  // port 0
        "01 07 22 63 0A 06 01 BB 00 00 00 00 00 00 00 00 00 00 FF FF C0 00 02 01 22 01 00 00",  // option shorter than 2
        "01 07 22 63 0A 06 01 BB 00 00 00 00 00 00 00 00 00 00 FF FF C0 00 02 01 22 05 00 00",  // option too long
        "01 07 22 63 0A 06 01 BB 00 00 00 00 00 00 00 00 00 00 FF FF C0 00 02 01 01 01 01 22",  // option cut off
    ])
    func what_is_malformed(bytes: String) {
        expectMalformed(hex(bytes), .malformed, ConvertMessage.parse)
    }

    @Test func other_versions_and_types() {
        for version in [0, 2, 255] as [UInt8] {
            expectMalformed([version, 1, 0x22, 0x63], .version, ConvertMessage.parse)
        }
        for type in 0...255 as ClosedRange<UInt8> where ![1, 10, 20, 21, 22, 30].contains(type) {
            expectMalformed([1, 2, 0x22, 0x63, type, 1, 0, 0], .unsupported, ConvertMessage.parse)
        }
    }

    @Test func the_longest_message() {
        let bytes: [UInt8] = [1, 255, 0x22, 0x63, 22, 254, 0, 0] + Array(repeating: 3, count: 1012)
        expectComplete(bytes, ConvertMessage([.cookie(Array(repeating: 3, count: 1012))]), ConvertMessage.parse)
    }

    @Test func random_bytes_do_no_harm() {
        var mutations = Mutations(seed: 8803)
        let good = hex(
            """
            01 0A 22 63 0A 07 00 50 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01 02 04 05 B4 01 1E 02 00
            16 02 00 00 01 02 03 04
            """)
        for _ in 0..<20_000 {
            let bytes = mutations.mutate(good)
            _ = parse(bytes, ConvertMessage.parse)
            _ = ConvertMessage.offset(ofType: 22, in: bytes.span)
            _ = KeyProof.authenticated(bytes.span)
        }
    }
}
