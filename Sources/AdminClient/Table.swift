/// Lines of columns: as wide as their widest cell, numbers to the right.
struct Table {
    enum Alignment {
        case left
        case right
    }

    struct Cell {
        let text: String
        var colour: Colour?

        init(_ text: String, _ colour: Colour? = nil) {
            // What comes from elsewhere must not move the cursor.
            self.text = String(
                String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
            self.colour = colour
        }
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[Cell]] = []
    private var notes: [Int: [String]] = [:]

    init(_ columns: [(title: String, alignment: Alignment)]) {
        self.columns = columns
    }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// Lines below the last row.
    mutating func note(_ line: String) { notes[rows.count - 1, default: []].append(line) }

    func lines(colour: Bool) -> [String] {
        let widths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].text.count) }
        }
        var lines = [line(columns.map { Cell($0.title, .faint) }, widths, colour)]
        for (index, row) in rows.enumerated() {
            lines.append(line(row, widths, colour))
            lines += notes[index] ?? []
        }
        return lines
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ colour: Bool) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { text += "  " }
            let padding = String(repeating: " ", count: widths[index] - cell.text.count)
            let shown = colour ? Colour.paint(cell.text, cell.colour) : cell.text
            let isLast = index == cells.count - 1
            text += columns[index].alignment == .right ? padding + shown : isLast ? shown : shown + padding
        }
        return text
    }
}

/// Colours of the terminal, ECMA-48.
enum Colour: String {
    case good = "32"
    case warning = "33"
    case bad = "31"
    case faint = "2"
    case strong = "1"

    static func paint(_ text: String, _ colour: Colour?) -> String {
        guard let colour, !text.isEmpty else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }
}
