internal import SystemPackage

/// Rules of the packet filter that concern MPTCP's option (TCP option 30, RFC 8684 section 3), as far as they can be seen.
struct FirewallView: Sendable, Hashable {
    /// What a rule does to MPTCP.
    enum Effect: Sendable, Hashable {
        /// Removes the option: connections fall back to TCP.
        case strips
        /// Drops or rejects packets with it: connections wait three seconds, and then fall back.
        case drops
        /// Does something else with them.
        case matches
    }

    /// One rule.
    struct Rule: Sendable, Hashable {
        var effect: Effect
        /// The rule as its program prints it.
        var text: String
        /// The command that removes it.
        var removal: String
    }

    /// The rules that were found.
    var rules: [Rule] = []
    /// The programs whose rules were seen.
    var seen: [String] = []
    /// Why rules were not seen; `nil` when they all were.
    var unseen: String?

    /// Looks at nftables, and at iptables, whose rules of old kernels nft does not show.
    static func read() -> FirewallView {
        var view = FirewallView()
        var refused = false
        do throws(Errno) {
            view.rules += nftRules(in: try Command.output("nft", "-a", "-s", "list", "ruleset"))
            view.seen.append("nftables")
        } catch {
            if error != .noSuchFileOrDirectory { refused = true }
        }
        for program in ["iptables", "ip6tables"] {
            do throws(Errno) {
                view.rules += iptablesRules(in: try Command.output("\(program)-save"), program: program)
                view.seen.append(program)
            } catch {
                if error != .noSuchFileOrDirectory { refused = true }
            }
        }
        if refused, view.seen.isEmpty {
            view.unseen = "only root sees the packet filter's rules"
        } else if view.seen.isEmpty {
            view.unseen = "neither nft nor iptables is installed"
        }
        return view
    }

    /// Reads `nft -a list ruleset`: one rule a line, with its number at the end.
    static func nftRules(in text: String) -> [Rule] {
        var table = ""
        var chain = ""
        var rules: [Rule] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ").map { $0.drop { $0 == "\t" } }.filter { !$0.isEmpty }
            guard let first = words.first else { continue }
            if first == "table", words.count >= 3 {
                table = "\(words[1]) \(words[2])"
            } else if first == "chain", words.count >= 2 {
                chain = String(words[1])
            } else if let at = words.lastIndex(of: "handle"), at + 1 < words.count, at > 0, words[at - 1] == "#",
                let effect = effect(Array(words[..<(at - 1)]))
            {
                rules.append(
                    Rule(
                        effect: effect, text: words[..<(at - 1)].joined(separator: " "),
                        removal: "nft delete rule \(table) \(chain) handle \(words[at + 1])"))
            }
        }
        return rules
    }

    private static func effect(_ words: [Substring]) -> Effect? {
        var concerns = false
        for index in words.indices.dropLast(2) where words[index] == "tcp" && words[index + 1] == "option" {
            let option = words[index + 2]
            guard option == "mptcp" || option == "30" || option.hasPrefix("@30,") else { continue }
            concerns = true
            if index > 0, words[index - 1] == "reset" { return .strips }
            // Overwriting its kind or type makes it another option.
            if words[(index + 3)...].contains("set") { return .strips }
        }
        guard concerns else { return nil }
        return words.contains("drop") || words.contains("reject") ? .drops : .matches
    }

    /// Reads `iptables-save`: `*TABLE`, then `-A CHAIN …`.
    static func iptablesRules(in text: String, program: String) -> [Rule] {
        var table = "filter"
        var rules: [Rule] = []
        // CR LF is one Character, and no "\n": the command that mends a rule has to be one line, whatever a comment says.
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("*") {
                table = String(line.dropFirst())
                continue
            }
            guard line.hasPrefix("-A ") else { continue }
            let words = line.split(separator: " ")
            let stripped = value(after: "--strip-options", in: words).map { $0.split(separator: ",") } ?? []
            var effect: Effect?
            if stripped.contains("30") {
                effect = .strips
            } else if value(after: "--tcp-option", in: words) == "30" {
                let target = value(after: "-j", in: words)
                effect = target == "DROP" || target == "REJECT" ? .drops : .matches
            }
            guard let effect else { continue }
            rules.append(
                Rule(
                    effect: effect, text: String(line),
                    removal: "\(program) -t \(table) -D " + line.dropFirst("-A ".count)))
        }
        return rules
    }

    private static func value(after option: Substring, in words: [Substring]) -> Substring? {
        guard let at = words.firstIndex(of: option), at + 1 < words.count else { return nil }
        return words[at + 1]
    }
}
