import TestNamespace
import Testing
import Wire

/// SOCKS5 messages, byte for byte from RFC 1928 and 1929.
@Suite struct SOCKS5Tests {
    @Test func greetings() {
        expectComplete([5, 1, 0], .init(none: true, password: false), SOCKS5.parseGreeting)
        expectComplete([5, 2, 2, 0], .init(none: true, password: true), SOCKS5.parseGreeting)
        expectComplete([5, 3, 1, 2, 0x80], .init(none: false, password: true), SOCKS5.parseGreeting)
        expectComplete([5, 0], .init(none: false, password: false), SOCKS5.parseGreeting)
        expectComplete(
            [5, 255] + Array(repeating: 9, count: 255), .init(none: false, password: false), SOCKS5.parseGreeting)
        expectMalformed([4, 1, 0, 80], .version, SOCKS5.parseGreeting)
        expectMalformed(Array("GET /".utf8), .version, SOCKS5.parseGreeting)
        #expect(SOCKS5.methodChosen(2) == [5, 2])
        #expect(SOCKS5.methodChosen(0xFF) == [5, 0xFF])
    }

    @Test func credentials() {
        expectComplete(
            [1, 2, 0x61, 0x62, 3, 0x78, 0x79, 0x7A],
            .init(name: Array("ab".utf8), password: Array("xyz".utf8)), SOCKS5.parseCredentials)
        expectComplete([1, 1, 0x61, 0], .init(name: [0x61], password: []), SOCKS5.parseCredentials)
        let long = [UInt8](repeating: 0x7A, count: 255)
        expectComplete(
            [1, 255] + long + [255] + long, .init(name: long, password: long), SOCKS5.parseCredentials)
        expectMalformed([5, 1, 0x61, 1, 0x61], .version, SOCKS5.parseCredentials)
        #expect(SOCKS5.credentialsChecked(true) == [1, 0])
        #expect(SOCKS5.credentialsChecked(false) == [1, 1])
    }

    @Test func requests() {
        expectComplete(
            hex("05 01 00 01 C0 00 02 01 01 BB"),
            .init(command: 1, destination: Destination(.address(.one), port: 443)), SOCKS5.parseRequest)
        expectComplete(
            hex("05 01 00 04 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01 00 50"),
            .init(command: 1, destination: Destination(.address(.six), port: 80)), SOCKS5.parseRequest)
        expectComplete(
            hex("05 01 00 03 0B") + Array("example.net".utf8) + [0, 80],
            .init(command: 1, destination: Destination(.name("example.net"), port: 80)), SOCKS5.parseRequest)
        expectComplete(
            hex("05 03 00 01 00 00 00 00 00 00"),
            .init(command: 3, destination: Destination(.address(.ipv4(0)), port: 0)), SOCKS5.parseRequest)
    }

    @Test func requests_that_are_wrong() {
        expectMalformed(hex("04 01 00 50 C0 00 02 01"), .version, SOCKS5.parseRequest)
        expectMalformed(hex("05 01 01 01 C0 00 02 01 01 BB"), .malformed, SOCKS5.parseRequest)
        for type in [0, 2, 5, 255] as [UInt8] {
            expectMalformed([5, 1, 0, type, 1, 2, 3, 4, 0, 80], .addressType, SOCKS5.parseRequest)
        }
        expectMalformed(hex("05 01 00 01 C0 00 02 01 00 00"), .malformed, SOCKS5.parseRequest)
        expectMalformed(hex("05 01 00 03 00 00 50"), .malformed, SOCKS5.parseRequest)
        expectMalformed(hex("05 01 00 03 03 61 00 62 00 50"), .malformed, SOCKS5.parseRequest)
        expectMalformed(hex("05 01 00 03 03 61 0A 62 00 50"), .malformed, SOCKS5.parseRequest)
    }

    @Test func replies() {
        #expect(SOCKS5.reply(.refused) == hex("05 05 00 01 00 00 00 00 00 00"))
        #expect(SOCKS5.reply(.succeeded, bound: IPEndpoint(.one, port: 443)) == hex("05 00 00 01 C0 00 02 01 01 BB"))
        #expect(
            SOCKS5.reply(.succeeded, bound: IPEndpoint(.six, port: 80))
                == hex("05 00 00 04 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01 00 50"))
        #expect(SOCKS5.Reply.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func random_bytes_do_no_harm() {
        var mutations = Mutations(seed: 1928)
        let good = hex("05 01 00 03 0B") + Array("example.net".utf8) + [0, 80]
        for _ in 0..<10_000 {
            let bytes = mutations.mutate(good)
            _ = parse(bytes, SOCKS5.parseRequest)
            _ = parse(bytes, SOCKS5.parseGreeting)
            _ = parse(bytes, SOCKS5.parseCredentials)
        }
    }
}
