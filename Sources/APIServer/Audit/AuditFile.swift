import Glibc
import KubeModel

/// The audit journal on disk: one event a line, in a file that is set aside when it has grown, so that two of them bound it.
actor AuditFile {
    private let path: String
    private let bytesMax: Int
    private var descriptor: Int32 = -1
    private var size = 0

    /// Events that come within this time are written together.
    private static let gathering = Duration.milliseconds(250)

    init(path: String, bytesMax: Int = 8 << 20) {
        self.path = path
        self.bytesMax = bytesMax
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Writes what the journal records, until the task is cancelled; what is there then is written, too.
    func follow(_ journal: AuditJournal) async {
        var written: Int64 = 0
        while !Task.isCancelled {
            await journal.waitForEvents(after: written)
            try? await ContinuousClock().sleep(for: Self.gathering)
            let events = journal.events(after: written)
            written = events.last?.sequence ?? written
            append(events)
        }
        append(journal.events(after: written))
    }

    private func append(_ events: [AuditEvent]) {
        guard !events.isEmpty else { return }
        var lines: [UInt8] = []
        for event in events {
            event.value.encode(into: &lines)
            lines.append(UInt8(ascii: "\n"))
        }
        if descriptor >= 0, size + lines.count > bytesMax { setAside() }
        if descriptor < 0 { openFile() }
        guard descriptor >= 0 else { return }
        var rest = lines[...]
        while !rest.isEmpty {
            // A full disk costs the journal's file, never a request.
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
            size += count
        }
    }

    private func openFile() {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        size = Int(lseek(descriptor, 0, SEEK_END))
        if size > bytesMax {
            setAside()
            descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        }
    }

    private func setAside() {
        close(descriptor)
        descriptor = -1
        size = 0
        rename(path, "\(path).1")
    }
}
