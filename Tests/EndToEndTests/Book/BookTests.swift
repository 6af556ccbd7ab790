import BookPages
import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// The pages of `docs`: every command in them does what the page says, in hosts as docs/README.md describes them.
    @Suite(.serialized) struct BookTests {
        @Test(arguments: BookPage.all) func everyCommandOfThePageWorks(_ page: BookPage) async throws {
            guard page.blocks.contains(where: { ["toml", "nft", "sh"].contains($0.label.first) }) else { return }
            try await Lab.with { lab in
                let book = try await BookLab(in: lab)
                for block in page.blocks {
                    let place = "docs/\(page.name):\(block.line)"
                    let host = block.label.count > 1 ? book.host(block.label[1]) : nil
                    switch (block.label.first, host) {
                    case ("toml", let host?): try host.write(block.text)
                    case ("toml", nil): try check(block.text, book.near.host, place)
                    case ("nft", let host?):
                        let output = try host.host.run(["nft", "-f", "-"], input: block.text, expecting: nil)
                        #expect(output.status == .exited(0), "\(place): \(output.standardError)")
                    case ("sh", let host?):
                        try await book.startDaemons()
                        try await run(block, host, place)
                    default: break
                    }
                }
                // All that was configured starts, also where the page has no command after it.
                if page.blocks.contains(where: { ["near", "far"].contains($0.label.dropFirst().first) }) {
                    try await book.startDaemons()
                }
            }
        }

        private func run(_ block: BookPage.Block, _ host: BookHost, _ place: String) async throws {
            switch block.label.dropFirst(2).first {
            case "stays": try await host.begin(block.text)
            case "fails":
                for line in block.text.split(separator: "\n") {
                    let output = try host.run(String(line))
                    #expect(output.status != .exited(0), "\(place): \(line): \(output.standardOutput)")
                }
            default:
                let output = try host.run(block.text)
                #expect(
                    output.status == .exited(0),
                    "\(place): \(output.status)\n\(output.standardError)\n\(output.standardOutput)\n\(host.log)")
            }
        }

        private func check(_ configuration: String, _ host: Host, _ place: String) throws {
            let directory = try TemporaryDirectory()
            let file = try directory.write(configuration, to: "braid.toml")
            let output = try BraidProgram.run(["check", "--config", file], in: host)
            #expect(output.status == .exited(0), "\(place): \(output.standardError)")
        }

        /// Nothing looks like a command or a configuration, and is not run.
        @Test func everyBlockIsOfAKindThatIsRun() throws {
            let labels: Set = [
                "toml near", "toml far", "toml check", "nft near", "sh near", "sh far", "sh lan", "sh near fails",
                "sh near stays", "sh far stays", "sh service", "text",
            ]
            #expect(BookPage.all.count > 10)
            for page in BookPage.all {
                #expect(page.unlabelled.map(\.line) == [], "docs/\(page.name): blocks without a label on these lines")
                for block in page.blocks {
                    let label = block.label.joined(separator: " ")
                    #expect(labels.contains(label), "docs/\(page.name):\(block.line): \(label)")
                }
            }
            #expect(BookPage.all.flatMap(\.blocks).count { $0.label.first == "sh" } > 15)
        }

        /// The configurations in README.md are right, and what it tells to do in `make lab` works.
        @Test func theReadmeIsRight() throws {
            let page = try #require(BookPage.readme)
            try Lab.with { lab in
                let host = try lab.host("outer")
                let configurations = page.unlabelled.filter { $0.text.hasPrefix("[") }
                #expect(configurations.count == 2)
                for block in configurations { try check(block.text, host, "README.md:\(block.line)") }

                guard Soak.isWanted else { return }
                let block = try #require(page.unlabelled.first { $0.text.hasPrefix("lab far braid echo") })
                // People type more slowly than the echo begins.
                var lines = block.text.split(separator: "\n").map(String.init)
                lines.insert("until lab far ss -ltnH sport 7143 | grep -q .; do sleep 0.05; done", at: 1)
                let program = URL(fileURLWithPath: BraidProgram.path).deletingLastPathComponent().path
                let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
                let script = lines.joined(separator: "\n")
                let output = try host.run(
                    ["\(program)/braid-lab", "--", "bash", "-ec", script], environment: ["PATH": "\(program):\(path)"],
                    expecting: nil, timeout: .seconds(60))
                #expect(output.status == .exited(0), "\(output.standardError)\n\(output.standardOutput)")
                #expect(output.standardOutput.contains("subflows: 2"), "\(output.standardOutput)")
            }
        }

        /// Other programs of which the text mentions commands: they are run in a block somewhere in the book.
        private static let programs: Set<Substring> = [
            "curl", "ip", "journalctl", "nft", "nstat", "scp", "ss", "sysctl", "systemctl", "systemd-analyze",
        ]

        /// What the text mentions exists: commands of the program, other pages, files.
        @Test func everythingMentionedExists() throws {
            try Lab.with { lab in
                let help = try BraidProgram.run(["--help"], in: try lab.host("alone")).standardOutput
                let commands = BookPage.all.flatMap(\.blocks).filter { $0.label.first == "sh" }.map(\.text)
                // The index speaks of labels.
                for page in BookPage.all where page.name != "README.md" {
                    for phrase in page.phrases {
                        let words = phrase.split(whereSeparator: \.isWhitespace)
                        guard words.count > 1 else { continue }
                        if words[0] == "braid" {
                            let known = words[1].hasPrefix("-") || help.contains("\n  \(words[1]) ")
                            #expect(known, "docs/\(page.name): \(phrase)")
                        } else if Self.programs.contains(words[0]) {
                            #expect(
                                commands.contains { $0.contains(phrase) }, "docs/\(page.name): nobody runs \(phrase)")
                        }
                    }
                }
                for page in BookPage.all + [try #require(BookPage.readme)] {
                    let place = page.name.hasPrefix("../") ? ".." : "."
                    for link in page.links where !link.contains("://") {
                        guard let file = link.split(separator: "#").first, !link.hasPrefix("#") else { continue }
                        let path = "\(BookPage.directory)/\(place)/\(file)"
                        #expect(FileManager.default.fileExists(atPath: path), "\(page.name): \(link)")
                    }
                }
                let index = try #require(BookPage.all.first { $0.name == "README.md" })
                for page in BookPage.all where page.name != "README.md" {
                    #expect(index.links.contains(page.name), "docs/README.md does not lead to \(page.name)")
                }
            }
        }
    }
}
