import KubeModel
import ObjectStore

/// Shapes objects into the form that a client asked for.
struct Presenter: Sendable {
    let kind: KindSchema
    let form: Representation
    /// How much of the object a row of a table carries: `None`, `Metadata` or `Object`.
    let includes: String
    let now: @Sendable () -> Timestamp

    func object(_ written: Written, code: Int = 200) throws(Status) -> APIResponse {
        switch form {
        case .plain, .aggregatedDiscovery: .json(written.bytes, code: code, warnings: written.warnings)
        case .table(let version):
            .json(
                table([written.object], version: version, metadata: listMetadata(written.object.resourceVersion)),
                code: code, warnings: written.warnings)
        case .metadataOnly(let version):
            .json(Self.metadataOnly(written.object, version), code: code, warnings: written.warnings)
        }
    }

    func list(_ page: ListPage) throws(Status) -> APIResponse {
        var metadata = listMetadata("\(page.revision.rawValue)")
        if let token = page.continueToken { metadata["continue"] = .string(token) }
        if let count = page.remainingItemCount { metadata["remainingItemCount"] = JSONValue(count) }
        switch form {
        case .table(let version):
            return .json(table(page.items.map(\.object), version: version, metadata: metadata))
        case .metadataOnly(let version):
            return .json([
                "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": metadata, "items": .array(page.items.map { Self.metadataOnly($0.object, version) }),
            ])
        case .plain, .aggregatedDiscovery: return .json(plainList(page.items, metadata))
        }
    }

    private func listMetadata(_ revision: String) -> JSONValue { ["resourceVersion": .string(revision)] }

    /// Joins the bytes that were encoded when the objects were written.
    private func plainList(_ items: [StoredObject], _ metadata: JSONValue) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(items.reduce(200) { $0 + $1.bytes.count + 1 })
        let head: JSONValue = [
            "kind": .string(kind.listKind), "apiVersion": .string(kind.resource.apiVersion), "metadata": metadata,
        ]
        head.encode(into: &bytes)
        bytes.removeLast()
        bytes.append(contentsOf: ",\"items\":[".utf8)
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: item.bytes)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }

    // MARK: Events

    /// One line of a watch; the columns of a table are told only once.
    func event(_ item: WatchItem, isFirst: Bool) -> [UInt8] {
        var line = Array("{\"type\":\"\(item.kind.rawValue)\",\"object\":".utf8)
        switch form {
        case .table(let version):
            let metadata = listMetadata(item.object.resourceVersion)
            let objects = item.kind == .bookmark ? [] : [item.object]
            table(objects, version: version, metadata: metadata, hasColumns: isFirst).encode(into: &line)
        case .metadataOnly(let version): Self.metadataOnly(item.object, version).encode(into: &line)
        case .plain, .aggregatedDiscovery:
            if let bytes = item.bytes {
                line.append(contentsOf: bytes)
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

    private func table(
        _ objects: [KubeObject], version: String, metadata: JSONValue, hasColumns: Bool = true
    ) -> JSONValue {
        let columns = kind.columns.map { column -> JSONValue in
            [
                "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
                "description": .string(column.description), "priority": JSONValue(column.priority),
            ]
        }
        let moment = now()
        return [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
            "columnDefinitions": hasColumns ? .array(columns) : nil,
            "rows": .array(objects.map { row($0, version: version, now: moment) }),
        ]
    }

    private func row(_ object: KubeObject, version: String, now: Timestamp) -> JSONValue {
        var row: JSONValue = ["cells": .array(kind.tableCells(object, now: now))]
        if let condition = Self.completion(of: object) { row["conditions"] = [condition] }
        switch includes {
        case "None": break
        case "Object": row["object"] = object.value
        default: row["object"] = Self.metadataOnly(object, version)
        }
        return row
    }

    /// Marks the rows of pods that have ended.
    private static func completion(of object: KubeObject) -> JSONValue? {
        guard object.kind == "Pod", let phase = object.value[["status", "phase"]]?.string else { return nil }
        let message: String
        switch phase {
        case "Succeeded": message = "The pod has completed successfully."
        case "Failed": message = "The pod failed."
        default: return nil
        }
        return ["type": "Completed", "status": "True", "reason": .string(phase), "message": .string(message)]
    }

    private static func metadataOnly(_ object: KubeObject, _ version: String) -> JSONValue {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object.value["metadata"] ?? [:],
        ]
    }
}
