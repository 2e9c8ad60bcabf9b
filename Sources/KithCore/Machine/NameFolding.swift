/// Gives names that look the same the same form: the compatibility forms of Unicode come from outside, because the standard library
/// has none.
package struct NameFolding: Sendable {
    private let fold: @Sendable (String) -> String

    /// A folding by a function that always answers the same for the same name.
    package init(_ fold: @escaping @Sendable (String) -> String) { self.fold = fold }

    func callAsFunction(_ name: String) -> String { fold(name) }
}
