//! What the framework costs, measured side by side: see the `benches` folder.
