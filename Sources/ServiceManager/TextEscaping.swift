/// Makes text from strangers safe for one line of a log: what clients send (names, addresses, headers) reaches it.
enum TextEscaping {
    /// `text` with every character escaped that could end the line, move a terminal's cursor or turn the reading
    /// direction round, and with `\` doubled so that an escape cannot be forged.
    static func escape(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: needsEscape) else { return text }
        var result = ""
        for scalar in text.unicodeScalars { append(scalar, to: &result) }
        return result
    }

    /// `text` as a logfmt value: bare when it is plain, else in double quotes with escapes.
    static func value(_ text: String) -> String {
        let bare =
            !text.isEmpty && text.unicodeScalars.allSatisfy { !needsEscape($0) && !" \"=".unicodeScalars.contains($0) }
        if bare { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result += "\\\"" } else { append(scalar, to: &result) }
        }
        return result + "\""
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            if needsEscape(scalar) {
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x5C: true
        case 0x20..<0x7F: false
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
            default: false
            }
        }
    }
}
