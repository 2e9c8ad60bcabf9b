/// Gives names that look the same the same form. Unicode's compatibility forms come from outside, because the standard library
/// has none.
package struct NameFolding: Sendable {
    private let fold: @Sendable (String) -> String

    /// Makes a folding from a function that always returns the same form for the same name.
    package init(_ fold: @escaping @Sendable (String) -> String) { self.fold = fold }

    func callAsFunction(_ name: String) -> String { fold(name) }
}
