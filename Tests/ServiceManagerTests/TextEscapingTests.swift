import Testing

@testable import ServiceManager

@Suite struct TextEscapingTests {
    @Test(arguments: [
        ("plain", "plain"),
        ("192.0.2.7:40022", "192.0.2.7:40022"),
        ("größe", "größe"),
        ("", "\"\""),
        ("two words", "\"two words\""),
        ("a=b", "\"a=b\""),
        ("say \"hi\"", "\"say \\\"hi\\\"\""),
        ("back\\slash", "\"back\\\\slash\""),
        ("line\nbreak\r\t", "\"line\\nbreak\\r\\t\""),
        ("\u{1B}[2Jcleared\u{7}", "\"\\u{1b}[2Jcleared\\u{7}\""),
        ("\u{9B}31m", "\"\\u{9b}31m\""),  // CSI in one character
        ("evil\u{202E}txt.exe", "\"evil\\u{202e}txt.exe\""),
        ("zero\u{200B}width", "\"zero\\u{200b}width\""),
        ("\u{0}\u{7F}\u{2028}", "\"\\u{0}\\u{7f}\\u{2028}\""),
    ])
    func `values are bare when plain, and else quoted with escapes`(value: String, written: String) {
        #expect(TextEscaping.value(value) == written)
    }

    @Test func `a message keeps its spaces and quotes, but not its control characters`() {
        #expect(TextEscaping.escape("relay \"a\" = b") == "relay \"a\" = b")
        #expect(TextEscaping.escape("one\ntwo \u{1B}[1m C:\\n") == "one\\ntwo \\u{1b}[1m C:\\\\n")
    }

    @Test func `every scalar below U+3000 is written in one line without control characters`() {
        for value in UInt32(0)..<0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for text in [TextEscaping.value(String(scalar)), TextEscaping.escape(String(scalar))] {
                let harmless = text.unicodeScalars.allSatisfy {
                    ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
                }
                #expect(harmless, "U+\(String(value, radix: 16))")
            }
        }
    }

    @Test(arguments: [
        ("bytes-up", "bytes_up", "BRAID_BYTES_UP"),
        ("http.Status", "http_status", "BRAID_HTTP_STATUS"),
        ("größe", "gr____e", "BRAID_GR____E"),
        ("a b=c", "a_b_c", "BRAID_A_B_C"),
        (
            String(repeating: "x", count: 80), String(repeating: "x", count: 80),
            "BRAID_" + String(repeating: "X", count: 58)
        ),
    ])
    func `field names are spelt as each format wants them`(key: String, plain: String, journal: String) {
        #expect(LogFieldName.plain(key) == plain)
        #expect(LogFieldName.journal(key) == journal)
    }
}
