import TestNamespace
import Testing
import Wire

/// The proof of key in the Cookie TLV, byte for byte from wire.md.
@Suite struct KeyProofTests {
    private let random: [UInt8] = Array(0x10...0x1B)
    private let code: [UInt8] = Array(0x80...0x9F)

    private var message: [UInt8] {
        let proof = KeyProof(keyID: 7, time: 0x0102_0304_0506_0708, random: random, code: code)
        return ConvertMessage([.connect(.init(IPEndpoint(.one, port: 443))), .cookie(proof.cookie)]).bytes()
    }

    @Test func has_these_bytes() {
        #expect(
            message
                == hex(
                    """
                    01 16 22 63
                    0A 05 01 BB 00 00 00 00 00 00 00 00 00 00 FF FF C0 00 02 01
                    16 10 00 00                             # Cookie, 16 words
                    01 07 00 00 00 00                       # version 1, key 7, flags
                    01 02 03 04 05 06 07 08                 # time
                    10 11 12 13 14 15 16 17 18 19 1A 1B     # random
                    80 81 82 83 84 85 86 87 88 89 8A 8B 8C 8D 8E 8F 90 91 92 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F
                    00 00                                   # padding
                    """))
    }

    @Test func is_read_back() throws {
        guard case .complete(let parsed, _) = parse(message, ConvertMessage.parse) else {
            Issue.record("not read")
            return
        }
        let cookie = try #require(parsed.cookie)
        let proof = try #require(KeyProof(cookie: cookie))
        #expect(proof == KeyProof(keyID: 7, time: 0x0102_0304_0506_0708, random: random, code: code))
    }

    @Test func what_is_authenticated_has_the_code_zero() {
        let authenticated = KeyProof.authenticated(message.span)
        var expected = message
        for index in 54..<86 { expected[index] = 0 }
        #expect(authenticated == Array("braid convert 1".utf8) + expected)
    }

    @Test func the_code_is_filled_in() {
        var bytes = ConvertMessage([
            .cookie(KeyProof(keyID: 7, time: 0x0102_0304_0506_0708, random: random).cookie),
            .connect(.init(IPEndpoint(.one, port: 443))),
        ]).bytes()
        let before = KeyProof.authenticated(bytes.span)
        KeyProof.fill(code, into: &bytes)
        #expect(KeyProof.authenticated(bytes.span) == before)
        #expect(Array(bytes[34..<66]) == code)
    }

    @Test func other_cookies_are_none_of_ours() {
        let good = KeyProof(keyID: 1, time: 2, random: random).cookie
        #expect(good.count == 60)
        #expect(KeyProof(cookie: good) != nil)
        for length in 0..<60 { #expect(KeyProof(cookie: Array(good[..<length])) == nil) }
        #expect(KeyProof(cookie: good + [0, 0, 0, 0]) == nil)
        for index in [0, 2, 3, 4, 5, 58, 59] {
            var bad = good
            bad[index] ^= 0x10
            #expect(KeyProof(cookie: bad) == nil)
        }
    }
}
