import Synchronization

@testable import ContainerRuntime

/// What a build has said.
final class Said: Sendable {
    private let reports = Mutex<[ImageBuilder.Report]>([])

    func add(_ report: ImageBuilder.Report) { reports.withLock { $0.append(report) } }

    var cachedCount: Int { reports.withLock { $0.count { $0 == .cached } } }

    var output: String {
        reports.withLock { reports in
            reports.map { if case .output(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { "" } }
                .joined()
        }
    }

    var warnings: [String] {
        reports.withLock { $0.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
    }
}
