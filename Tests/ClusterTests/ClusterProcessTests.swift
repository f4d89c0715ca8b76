import CSandbox
import ContainerRuntime
import Glibc
import KubeModel
import LabTesting
import Testing

@testable import Cluster

@Suite("The process of a cluster, from outside", .timeLimit(.minutes(5))) struct ClusterProcessTests {
    private let state = ClusterProcess.State(
        processID: 7, level: "plain", pace: "lesson", timeFactor: 1.5, port: 16443, node: "velocity",
        startedAt: "2026-05-04T13:37:00Z", remarks: ["Port 16443 is taken."])

    /// The descriptors of this process under which a file is open.
    private func descriptors(of path: String) -> [Int32] {
        Folder.names(in: "/proc/self/fd").compactMap { name in
            var target = [CChar](repeating: 0, count: 4096)
            let count = max(0, readlink("/proc/self/fd/\(name)", &target, target.count))
            let link = String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
            return link == path ? Int32(name) : nil
        }
    }

    @Test("the lock is one process's alone, and is free when the kernel closes its file")
    func lock() async throws {
        try await withTemporaryFolder { folder in
            let directory = VelocityHome(path: folder).cluster("c")
            try directory.prepare()
            let process = ClusterProcess(directory)
            #expect(!process.isRunning)
            #expect(try ClusterProcess.lock(directory))
            #expect(process.isRunning)
            #expect(try !ClusterProcess.lock(directory))
            // As the end of the process does.
            let open = descriptors(of: directory.lockFile)
            #expect(open.count == 1)
            for descriptor in open { close(descriptor) }
            // A program that another test starts may hold a copy until it has begun: wait for the lock itself.
            let waiting = Glibc.open(directory.lockFile, O_RDONLY | O_CLOEXEC)
            #expect(flock(waiting, LOCK_EX) == 0)
            // Given back before it is closed: of this one, too, such a program may have a copy.
            flock(waiting, LOCK_UN)
            close(waiting)
            #expect(!process.isRunning)
        }
    }

    @Test("a cluster without a folder does not run, and its lock names the place")
    func noFolder() throws {
        let directory = ClusterDirectory(name: "c", path: "/nosuch")
        #expect(!ClusterProcess(directory).isRunning)
        let error = #expect(throws: ClusterError.self) { _ = try ClusterProcess.lock(directory) }
        #expect(error?.message == "'/nosuch/run/cluster.lock' cannot be opened: No such file or directory.")
        try ClusterProcess(directory).stop()
    }

    @Test("a state that was left behind is no sign of life")
    func leftBehind() async throws {
        try await withTemporaryFolder { folder in
            let directory = VelocityHome(path: folder).cluster("c")
            try directory.prepare()
            try Directory.write(state.value.encoded, to: directory.stateFile)
            #expect(ClusterProcess(directory).state == nil)
        }
    }

    @Test("a state reads back as it was written, and a damaged one is none")
    func states() {
        #expect(ClusterProcess.State(state.value) == state)
        for value: JSONValue in [[:], ["pid": 7], ["pid": "7", "port": 1], ["pid": 99_999_999_999, "port": 1]] {
            #expect(ClusterProcess.State(value) == nil)
        }
    }

    // MARK: Readiness

    /// What is made of these bytes by the process that waits.
    private func wait(for bytes: [UInt8]) throws {
        var ends: [Int32] = [-1, -1]
        try #require(vs_pipe(&ends) == 0)
        defer { close(ends[0]) }
        #expect(write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        try ReadinessPipe.wait(ends[0], log: "/c/cluster.log")
    }

    @Test(
        "what a process reports arrives, and only its first report does",
        arguments: [(true, nil), (false, "No port is free.")] as [(Bool, String?)])
    func reports(isReady: Bool, message: String?) throws {
        var ends: [Int32] = [-1, -1]
        try #require(vs_pipe(&ends) == 0)
        defer { close(ends[0]) }
        let pipe = ReadinessPipe(ends[1])
        if isReady { pipe.reportReady() }
        pipe.reportFailure(ClusterError("No port is free.", hint: "See what listens: ss -ltn"))
        pipe.reportReady()
        guard let message else { return try ReadinessPipe.wait(ends[0], log: "/c/cluster.log") }
        let error = #expect(throws: ClusterError.self) { try ReadinessPipe.wait(ends[0], log: "/c/cluster.log") }
        #expect(error == ClusterError(message, hint: "See what listens: ss -ltn"))
    }

    @Test("one byte means ready")
    func ready() throws { try wait(for: Array("R".utf8)) }

    @Test(
        "a failure comes with its sentence and its hint",
        arguments: [
            ("No port is free.\0See what listens: ss -ltn", "No port is free.", "See what listens: ss -ltn"),
            ("Runtime denied.\0", "Runtime denied.", nil), ("no end", "no end", nil),
            ("", "The cluster's process ended before it was ready.", "Read its log: /c/cluster.log"),
        ] as [(String, String, String?)])
    func failure(text: String, message: String, hint: String?) {
        let error = #expect(throws: ClusterError.self) { try wait(for: Array(text.utf8)) }
        #expect(error == ClusterError(message, hint: hint))
    }

    @Test("a program that cannot be started is named")
    func cannotStart() async throws {
        try await withTemporaryFolder { folder in
            let process = ClusterProcess(VelocityHome(path: folder).cluster("c"))
            let error = #expect(throws: ClusterError.self) {
                try process.start(executable: "/nosuch/velocity", arguments: [])
            }
            #expect(error?.message == "'/nosuch/velocity' cannot be started: No such file or directory.")
        }
    }
}
