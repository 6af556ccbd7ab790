/// A full screen of lines, written over the one before without flicker. ECMA-48, xterm's alternate screen.
struct TopScreen {
    static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l"
    static let leave = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"

    let columns: Int
    let rows: Int

    /// The bytes that show the lines, those that fit.
    func frame(_ lines: [String]) -> String {
        var text = "\u{1b}[H"
        for (index, line) in lines.prefix(rows).enumerated() {
            if index > 0 { text += "\r\n" }
            text += cut(line) + "\u{1b}[K"
        }
        return text + "\u{1b}[J"
    }

    /// A line's first columns; colours take none.
    func cut(_ line: String) -> String {
        var text = ""
        var width = 0
        var inEscape = false
        for character in line {
            if inEscape {
                text.append(character)
                if character.isLetter { inEscape = false }
            } else if character == "\u{1b}" {
                text.append(character)
                inEscape = true
            } else if width < columns {
                text.append(character)
                width += 1
            }
        }
        return text
    }
}

/// A bar of block characters, eight steps each, or of `#` where the terminal has no such characters.
struct Bar {
    let width: Int
    let isUnicode: Bool

    func text(_ share: Double) -> String {
        let share = min(1, max(0, share.isFinite ? share : 0))
        if !isUnicode {
            let full = Int((share * Double(width)).rounded())
            return String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
        }
        var eighths = Int((share * Double(width) * 8).rounded())
        if share > 0 { eighths = max(1, eighths) }
        var text = String(repeating: "█", count: eighths / 8)
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        text += parts[eighths % 8]
        return text + String(repeating: " ", count: width - text.count)
    }
}
