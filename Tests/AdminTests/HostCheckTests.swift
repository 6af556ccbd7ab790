import NIOHTTP1
import Testing

@testable import Admin

/// Against DNS rebinding: which names a request may ask for, and from where.
@Suite struct HostCheckTests {
    private let check = HostCheck(names: ["Gateway.example.net", "router"])

    private func refusal(_ host: String, _ more: [(String, String)] = []) -> String? {
        check.refusal(HTTPHeaders([("Host", host)] + more))
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:9180", "192.0.2.1:80", "[::1]", "[::1]:9180", "[2001:db8::1]:1", "localhost",
        "LOCALHOST:9180", "x.localhost", "localhost.:80", "gateway.example.net:9180", "ROUTER",
    ])
    func lets_in(_ host: String) { #expect(refusal(host) == nil) }

    @Test(arguments: [
        "evil.example", "evil.example:9180", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3",
        "1.2.3.4.5", "256.1.1.1", "", ":80", "[::1", "[evil.example]", "[::1]x", "[::g]", "127.0.0.1:port",
        "127.0.0.1:123456",
        "gateway.example.net.evil.example", "a b", "127.0.0.1@evil.example", "127.0.0.1/x", "0x7f.0.0.1",
    ])
    func refuses(_ host: String) { #expect(refusal(host) != nil) }

    @Test func wants_one_host() {
        #expect(check.refusal(HTTPHeaders()) != nil)
        #expect(check.refusal(HTTPHeaders([("Host", "localhost"), ("Host", "localhost")])) != nil)
    }

    @Test func refuses_other_origins() {
        #expect(refusal("127.0.0.1:9180", [("Origin", "http://127.0.0.1:9180")]) == nil)
        for origin in ["http://evil.example", "null", "http://127.0.0.1:8080", "https://127.0.0.1:9180"] {
            #expect(refusal("127.0.0.1:9180", [("Origin", origin)]) != nil, "\(origin)")
        }
    }

    @Test func refuses_what_other_sites_make_a_browser_ask() {
        #expect(refusal("localhost", [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors")]) == nil)
        #expect(refusal("localhost", [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")]) == nil)
        #expect(refusal("localhost", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]) != nil)
        #expect(
            refusal(
                "localhost",
                [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]) != nil
        )
        #expect(
            refusal(
                "localhost",
                [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")])
                == nil)
    }
}
