import KubeModel
import NIOCore
import ObjectStore

/// Shapes objects into the form that a client asked for.
struct Presenter: Sendable {
    let kind: KindSchema
    let form: Representation
    /// How much of the object a row of a table carries.
    let includes: TableWriter.Included
    let now: @Sendable () -> Timestamp
    /// Lines of events that other watchers have had already.
    let lineCache: EventLines

    func object(_ written: Written, code: Int = 200) throws(Status) -> APIResponse {
        switch form {
        case .plain, .aggregatedDiscovery: return .json(written.bytes, code: code, warnings: written.warnings)
        case .table(let version):
            var bytes = tableHead(version, metadata: listMetadata(written.object.resourceVersion))
            rows(version).write(written.object, into: &bytes)
            bytes.append(contentsOf: "]}".utf8)
            return .json(bytes, code: code, warnings: written.warnings)
        case .metadataOnly(let version):
            return .json(Self.metadataOnly(written.object, version), code: code, warnings: written.warnings)
        case .metadataList:
            throw .notAcceptable(
                "you requested PartialObjectMetadataList, but the requested object is not a list (\(goType("")))")
        }
    }

    func list(_ page: ListPage) throws(Status) -> APIResponse {
        var metadata = listMetadata("\(page.revision.rawValue)")
        if let token = page.continueToken { metadata["continue"] = .string(token) }
        if let count = page.remainingItemCount { metadata["remainingItemCount"] = JSONValue(count) }
        let items = page.items
        switch form {
        case .table(let version):
            let rows = rows(version)
            return .json(
                AnswerPieces(head: tableHead(version, metadata: metadata), tail: Array("]}".utf8), count: items.count) {
                    rows.write(items[$0], into: &$1)
                })
        case .metadataList(let version):
            let type = TableWriter.metadataHead(version)
            let head = listHead("PartialObjectMetadataList", "meta.k8s.io/\(version)", metadata)
            return .json(
                AnswerPieces(head: head, tail: Array("]}".utf8), count: items.count) { index, bytes in
                    bytes.append(contentsOf: type)
                    bytes.append(contentsOf: items[index].bytes[items[index].metadata])
                    bytes.append(UInt8(ascii: "}"))
                })
        case .metadataOnly:
            throw .notAcceptable(
                "you requested PartialObjectMetadata, but the requested object is a list (\(goType("List")))")
        case .plain, .aggregatedDiscovery:
            let head = listHead(kind.listKind, kind.resource.apiVersion, metadata)
            let hidesType = hidesTypeOfItems
            return .json(
                AnswerPieces(head: head, tail: Array("]}".utf8), count: items.count) { index, bytes in
                    let item = items[index]
                    if hidesType {
                        bytes.append(UInt8(ascii: "{"))
                        bytes.append(contentsOf: item.bytes[item.typeEnd...])
                    } else {
                        bytes.append(contentsOf: item.bytes)
                    }
                })
        }
    }

    /// The items of a list say their type only where the type is not one of Kubernetes' own.
    private var hidesTypeOfItems: Bool {
        let group = kind.resource.group
        return !group.contains(".") || group.hasSuffix(".k8s.io")
    }

    /// A type as Go prints it, which is in some messages.
    private func goType(_ suffix: String) -> String {
        let group = kind.resource.group
        let package = group.isEmpty ? "core" : String(group.prefix { $0 != "." })
        return "*\(package).\(kind.resource.kind)\(suffix)"
    }

    private func listMetadata(_ revision: String) -> JSONValue { ["resourceVersion": .string(revision)] }

    private func listHead(_ kind: String, _ apiVersion: String, _ metadata: JSONValue) -> [UInt8] {
        let head: JSONValue = [
            "kind": .string(kind), "apiVersion": .string(apiVersion), "metadata": metadata, "items": [],
        ]
        return head.encoded.dropLast(2)
    }

    private static func metadataOnly(_ object: KubeObject, _ version: String) -> JSONValue {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object.value["metadata"] ?? [:],
        ]
    }

    // MARK: Events

    /// Lines of a watch; the columns of a table are told only in the first.
    func lines(_ items: [WatchItem], isFirst: Bool) -> ByteBuffer {
        if items.count == 1, let item = items.first { return line(item, isFirst: isFirst) }
        var all = ByteBuffer()
        for (index, item) in items.enumerated() {
            var line = line(item, isFirst: isFirst && index == 0)
            all.writeBuffer(&line)
        }
        return all
    }

    var isTable: Bool { if case .table = form { true } else { false } }

    private func line(_ item: WatchItem, isFirst: Bool) -> ByteBuffer {
        let hasColumns = isTable && isFirst
        guard let stored = item.stored, !hasColumns else {
            return ByteBuffer(bytes: encodeLine(item, hasColumns: hasColumns))
        }
        let key = EventLines.Key(
            resource: kind.resource, revision: stored.revision, kind: item.kind, form: form, includes: includes)
        return lineCache.line(key) { ByteBuffer(bytes: encodeLine(item, hasColumns: false)) }
    }

    private func encodeLine(_ item: WatchItem, hasColumns: Bool) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity((item.stored?.bytes.count ?? 256) + 64)
        line.append(contentsOf: "{\"type\":\"".utf8)
        line.append(contentsOf: item.kind.rawValue.utf8)
        line.append(contentsOf: "\",\"object\":".utf8)
        switch form {
        case .table(let version):
            let metadata = listMetadata(item.object.resourceVersion)
            line.append(contentsOf: tableHead(version, metadata: metadata, hasColumns: hasColumns))
            rows(version).write(item.object, into: &line)
            line.append(contentsOf: "]}".utf8)
        case .metadataOnly(let version): Self.metadataOnly(item.object, version).encode(into: &line)
        case .plain, .metadataList, .aggregatedDiscovery:
            if let stored = item.stored {
                line.append(contentsOf: stored.bytes)
            } else {
                item.object.value.encode(into: &line)
            }
        }
        line.append(contentsOf: "}\n".utf8)
        return line
    }

    static func errorEvent(_ status: Status) -> [UInt8] {
        let event: JSONValue = ["type": "ERROR", "object": status.value]
        return event.encoded + [UInt8(ascii: "\n")]
    }

    // MARK: Tables

    private func rows(_ version: String) -> TableWriter {
        TableWriter(kind: kind, includes: includes, version: version, now: now())
    }

    /// A table up to its first row.
    private func tableHead(_ version: String, metadata: JSONValue, hasColumns: Bool = true) -> [UInt8] {
        let table: JSONValue = [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
            "columnDefinitions": hasColumns ? .array(kind.columns.map(TableWriter.definition)) : nil, "rows": [],
        ]
        return table.encoded.dropLast(2)
    }
}
