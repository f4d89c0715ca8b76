import KubeModel
import ScreenKit

/// A text in the browser: an object with its events, or a log that grows.
struct BrowserText: Sendable {
    private(set) var lines: [PageLine] = []
    /// The first line that is shown; nil keeps the end in view.
    private(set) var first: Int?
    private var isGone = false

    /// How much of a log is kept.
    static let linesMax = 5000

    init(isLog: Bool) { first = isLog ? nil : 0 }

    mutating func show(_ object: KubeObject?, events: [KubeObject], now: Timestamp) {
        guard let object else {
            if !isGone { lines.insert(PageLine(text: "It is gone. This is what it was:", style: .warning), at: 0) }
            isGone = true
            return
        }
        isGone = false
        lines = Self.events(events, now: now)
        let yaml = Self.shown(object).yaml.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        lines += yaml.map { line in
            let isSection = line.first.map { $0.isLetter } ?? false
            return PageLine(text: String(line), style: isSection ? .bold : .plain)
        }
    }

    mutating func append(_ more: [String]) {
        lines += more.map { PageLine(text: $0) }
        guard lines.count > Self.linesMax else { return }
        let dropped = lines.count - Self.linesMax
        lines.removeFirst(dropped)
        if let place = first { first = max(0, place - dropped) }
    }

    mutating func fail(_ sentence: String) { lines.append(PageLine(text: sentence, style: .warning)) }

    /// Long lines go on below, under where they began.
    private func wrapped(columns: Int) -> [PageLine] {
        lines.flatMap { line in
            TextWrap.lines(line.text, columns: columns).map { PageLine(text: $0, style: line.style) }
        }
    }

    mutating func scroll(by step: Int, in page: Size) {
        let last = max(0, wrapped(columns: page.columns).count - page.rows)
        let place = min(last, max(0, (first ?? last) + step))
        first = step > 0 && place == last ? nil : place
    }

    mutating func jump(toEnd: Bool) { first = toEnd ? nil : 0 }

    func render(in area: Rect, of buffer: inout CellBuffer) {
        let lines = wrapped(columns: area.columns)
        buffer.show(lines, from: min(first ?? Int.max, max(0, lines.count - area.rows)), in: area)
    }

    /// Newest last, as they came.
    private static func events(_ events: [KubeObject], now: Timestamp) -> [PageLine] {
        guard !events.isEmpty else { return [] }
        var lines = [PageLine(text: "Events, the latest last", style: .title)]
        for event in events.sorted(by: KubeObject.seenEarlier) {
            let isWarning = event.value["type"]?.string == "Warning"
            let count = event.value["count"]?.int ?? 1
            let age = HumanDuration.since(event.lastSeen, now: now)
            lines.append(
                PageLine(
                    text: "  \(age) \(isWarning ? "! " : "")"
                        + "\(event.value["reason"]?.string ?? ""): \(event.value["message"]?.string ?? "")"
                        + (count > 1 ? " (\(count) times)" : ""),
                    style: isWarning ? .warning : .plain))
        }
        return lines + [PageLine(text: "")]
    }

    /// Without the bookkeeping of fields; of a Secret only how long its values are.
    private static func shown(_ object: KubeObject) -> JSONValue {
        var value = object.value
        value[["metadata", "managedFields"]] = nil
        value[["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]] = nil
        if object.kind == "Secret", let data = value["data"]?.object {
            value["data"] = .object(
                data.mapValues { encoded in
                    let text = encoded.string ?? ""
                    let padding = text.suffix(2).count { $0 == "=" }
                    return .string("(\(text.utf8.count / 4 * 3 - padding) bytes, not shown)")
                })
        }
        return value
    }
}

extension KubeObject {
    /// For events: when it was seen last.
    var lastSeen: Timestamp? {
        for path in [["lastTimestamp"], ["eventTime"], ["metadata", "creationTimestamp"]] {
            if let moment = value[path]?.string.flatMap(Timestamp.init(parsing:)) { return moment }
        }
        return nil
    }

    static func seenEarlier(_ one: KubeObject, _ other: KubeObject) -> Bool {
        (one.lastSeen ?? Timestamp(seconds: 0), one.name) < (other.lastSeen ?? Timestamp(seconds: 0), other.name)
    }
}
