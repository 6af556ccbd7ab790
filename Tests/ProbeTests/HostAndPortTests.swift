import Probe
import Testing

@Suite("HOST:PORT")
struct HostAndPortTests {
    @Test(
        "what is one",
        arguments: [
            ("example.net:80", "example.net", 80), ("192.0.2.1:65535", "192.0.2.1", 65535),
            ("[2001:db8::1]:7143", "2001:db8::1", 7143), ("[fe80::1%eth0]:1", "fe80::1%eth0", 1), ("*:8080", "*", 8080),
        ] as [(String, String, UInt16)])
    func good(text: String, host: String, port: UInt16) {
        let parsed = HostAndPort(text)
        #expect(parsed?.host == host)
        #expect(parsed?.port == port)
        #expect(parsed?.description == text)
    }

    @Test(
        "what is none",
        arguments: [
            "", ":", "host", "host:", ":80", "host:0", "host:65536", "host:-1", "host:+1", "host:8o", "host: 80",
            "::1:80",
            "2001:db8::1", "[]:80", "[host]:80", "[::1:80", "::1]:80", "[::1]80", "ho st:80", "host:80 ", "ho\0st:80",
            "host:99999999999999999999", "host:٨٠",
        ])
    func bad(text: String) {
        #expect(HostAndPort(text) == nil)
    }

    @Test("port 0 is one only to listen on")
    func portZero() {
        #expect(HostAndPort("host:0", allowingPortZero: true)?.port == 0)
    }

    @Test("truncation at every byte is no crash, and never another host")
    func truncated() {
        let text = "[2001:db8::1]:7143"
        for length in 0..<text.utf8.count {
            let parsed = HostAndPort(String(text.prefix(length)))
            #expect(parsed == nil || parsed?.host == "2001:db8::1")
        }
    }
}
