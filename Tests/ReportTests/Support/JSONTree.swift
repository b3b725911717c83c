import Foundation

/// A JSON document as a tree, for looking things up by JSON Pointer (RFC 6901).
indirect enum JSONTree: Equatable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    init(_ data: Data) throws { self = try JSONDecoder().decode(JSONTree.self, from: data) }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    /// What `pointer` points to, or nil.
    subscript(pointer: String) -> JSONTree? {
        var node = self
        for part in pointer.split(separator: "/") {
            let key = part.replacingOccurrences(of: "~1", with: "/").replacingOccurrences(of: "~0", with: "~")
            switch node {
            case .object(let members):
                guard let member = members[key] else { return nil }
                node = member
            case .list(let members):
                guard let index = Int(key), members.indices.contains(index) else { return nil }
                node = members[index]
            case .null, .bool, .number, .text: return nil
            }
        }
        return node
    }

    var number: Double? { if case .number(let value) = self { value } else { nil } }
    var text: String? { if case .text(let value) = self { value } else { nil } }
    var list: [JSONTree]? { if case .list(let value) = self { value } else { nil } }
    var object: [String: JSONTree]? { if case .object(let value) = self { value } else { nil } }
}

/// As much of JSON Schema 2020-12 as the report's schema uses. An unknown keyword is a complaint, so that none goes
/// unchecked.
struct SchemaChecker {
    let root: JSONTree

    private static let annotations: Set<String> = ["$schema", "$defs", "title", "description"]

    /// What is wrong with `value`, each with its place.
    func complaints(about value: JSONTree) -> [String] { check(value, against: root, at: "") }

    private func check(_ value: JSONTree, against schema: JSONTree, at place: String) -> [String] {
        guard let keywords = schema.object else { return ["\(place): the schema is no object"] }
        var complaints: [String] = []
        for (keyword, rule) in keywords where !Self.annotations.contains(keyword) {
            complaints += check(value, keyword, rule, keywords, at: place)
        }
        return complaints
    }

    private func check(
        _ value: JSONTree, _ keyword: String, _ rule: JSONTree, _ siblings: [String: JSONTree], at place: String
    ) -> [String] {
        switch keyword {
        case "$ref":
            guard let name = rule.text, name.hasPrefix("#/"), let target = root[String(name.dropFirst())] else {
                return ["\(place): unresolved reference"]
            }
            return check(value, against: target, at: place)
        case "type":
            let names = rule.text.map { [$0] } ?? rule.list?.compactMap(\.text) ?? []
            return names.contains { Self.isOf($0, value) } ? [] : ["\(place): expected \(names)"]
        case "const": return value == rule ? [] : ["\(place): expected \(rule)"]
        case "enum": return rule.list?.contains(value) == true ? [] : ["\(place): \(value) is not allowed"]
        case "minimum":
            guard let number = value.number, let bound = rule.number else { return [] }
            return number >= bound ? [] : ["\(place): \(number) is below \(bound)"]
        case "maximum":
            guard let number = value.number, let bound = rule.number else { return [] }
            return number <= bound ? [] : ["\(place): \(number) is above \(bound)"]
        case "format": return value.text?.contains("T") == true ? [] : ["\(place): no time of day"]
        case "items":
            return (value.list ?? []).enumerated().flatMap { check($1, against: rule, at: "\(place)/\($0)") }
        case "required":
            return (rule.list ?? []).compactMap(\.text).filter { value.object?[$0] == nil }
                .map { "\(place): \($0) is missing" }
        case "properties":
            return (rule.object ?? [:]).flatMap { name, schema in
                value.object?[name].map { check($0, against: schema, at: "\(place)/\(name)") } ?? []
            }
        case "additionalProperties":
            let known = Set(siblings["properties"]?.object.map { Array($0.keys) } ?? [])
            return (value.object ?? [:]).filter { !known.contains($0.key) }.flatMap { name, member in
                rule == .bool(false)
                    ? ["\(place)/\(name): unknown key"] : check(member, against: rule, at: "\(place)/\(name)")
            }
        default: return ["\(place): the checker doesn't know the keyword \(keyword)"]
        }
    }

    private static func isOf(_ type: String, _ value: JSONTree) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .text), ("array", .list),
            ("object", .object):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }
}
