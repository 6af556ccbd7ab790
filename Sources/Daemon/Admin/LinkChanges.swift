internal import Admin
internal import Paths

/// What the difference between two looks at the links tells those who listen.
enum LinkChanges {
    static func events(from before: [LinkSnapshot], to now: [LinkSnapshot]) -> [AdminEvent] {
        var events: [AdminEvent] = []
        for link in now {
            let old = before.first { $0.id == link.id }
            if (old?.state ?? .absent) != link.state {
                let kind: AdminEvent.Kind = link.state == .up ? .linkUp : .linkDown
                events.append(AdminEvent(kind, "\(link.name): \(link.state.text)", fields(link)))
            }
            if (old?.isBackup ?? false) != link.isBackup {
                let why = link.why.isEmpty ? "" : " (\(link.why))"
                events.append(
                    link.isBackup
                        ? AdminEvent(.linkBackup, "\(link.name) is backup\(why)", fields(link))
                        : AdminEvent(.linkPrimary, "\(link.name) is no longer backup\(why)", fields(link)))
            }
        }
        for link in before where !now.contains(where: { $0.id == link.id }) {
            events.append(AdminEvent(.linkDown, "\(link.name) is gone", fields(link)))
        }
        return events
    }

    private static func fields(_ link: LinkSnapshot) -> [(name: StaticString, value: AdminEvent.Value)] {
        [
            ("link", .text(link.name)), ("interface", .text(link.interface)), ("state", .text(link.state.rawValue)),
            ("backup", .flag(link.isBackup)), ("why", .text(link.why)),
        ]
    }
}
