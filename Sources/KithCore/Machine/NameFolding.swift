/// Converts names to a form in which two names that look the same are equal. The caller provides Unicode's compatibility forms,
/// because the standard library does not have them.
package struct NameFolding: Sendable {
    private let fold: @Sendable (String) -> String

    /// Creates a folding from a function. If the function is called twice with one name, it must return the same form.
    package init(_ fold: @escaping @Sendable (String) -> String) { self.fold = fold }

    func callAsFunction(_ name: String) -> String { fold(name) }
}
