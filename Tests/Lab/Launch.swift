import CLab
import Glibc

/// How to start a process.
struct Launch {
    var arguments: [String]
    /// Added to, or put in place of, what this process has.
    var environment: [String: String] = [:]
    var directory: String?
    var netns: CInt = -1
    var ownGroup = true

    struct Started {
        let pid: pid_t
        let pidfd: CInt
    }

    /// Starts it with the given descriptors as 0, 1, 2, …
    func start(descriptors: [CInt]) throws(LabError) -> Started {
        var variables: [String: String] = [:]
        var entry = environ
        while let string = entry.pointee {
            let text = String(cString: string)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        variables.merge(environment) { _, new in new }

        let argv = CStrings(arguments)
        let envp = CStrings(variables.map { "\($0.key)=\($0.value)" })
        let path = directory.map { CStrings([$0]) }
        var spawned = clab_spawned()
        let result = withExtendedLifetime((argv, envp, path)) {
            descriptors.withUnsafeBufferPointer { numbers in
                var request = clab_spawn_request(
                    argv: argv.pointers, envp: envp.pointers, directory: path?.pointers[0], netns: netns,
                    descriptors: numbers.baseAddress, descriptor_count: UInt32(numbers.count), own_group: ownGroup)
                return clab_spawn(&request, &spawned)
            }
        }
        if result < 0 {
            let step = spawned.failed_step.map { String(cString: $0) } ?? "fork"
            throw LabError("start \(arguments.joined(separator: " ")): \(step)", errno: -result)
        }
        return Started(pid: spawned.pid, pidfd: spawned.pidfd)
    }
}

/// A null-terminated array of C strings, for exec.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            (pointers + index).initialize(to: UnsafePointer(strdup(string)))
        }
        (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count {
            free(UnsafeMutablePointer(mutating: pointers[index]))
        }
        pointers.deallocate()
    }
}
