#include "ctoml.h"

#include <algorithm>
#include <deque>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {
/// toml++ asserts its own invariants; one that does not hold becomes a parse error instead of the end of the process.
[[noreturn]] void broken_invariant(const char *expression) {
    throw std::logic_error(std::string("the TOML parser's invariant does not hold: ") + expression);
}
}  // namespace

#define TOML_ASSERT(expression)                                  \
    do {                                                         \
        if (!(expression)) broken_invariant(#expression);        \
    } while (false)
// Arrays and inline tables inside one another; configuration needs four.
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

struct ctoml_document {
    std::vector<ctoml_node> nodes;
    // A deque never moves its elements, so nodes may point into the strings.
    std::deque<std::string> strings;
    bool failed = false;
    std::string message;
    ctoml_position position{1, 1};
};

namespace {

ctoml_position position_of(const toml::source_region &region) {
    return {std::max<uint32_t>(region.begin.line, 1), std::max<uint32_t>(region.begin.column, 1)};
}

ctoml_text keep(ctoml_document &document, std::string_view text) {
    const std::string &kept = document.strings.emplace_back(text);
    return {kept.data(), kept.size()};
}

template <typename Value>
std::string written(const Value &value) {
    std::ostringstream stream;
    stream << value;
    return stream.str();
}

struct entry {
    const toml::key *key;
    const toml::node *node;
};

void append(ctoml_document &document, const toml::key *key, const toml::node &node);

void append_table(ctoml_document &document, const toml::table &table) {
    std::vector<entry> entries;
    entries.reserve(table.size());
    for (auto &&[key, value] : table) entries.push_back({&key, &value});
    // toml++ sorts by key; people think in the order they wrote.
    std::sort(entries.begin(), entries.end(), [](const entry &a, const entry &b) {
        const auto first = a.key->source().begin, second = b.key->source().begin;
        return first.line != second.line ? first.line < second.line : first.column < second.column;
    });
    for (const entry &child : entries) append(document, child.key, *child.node);
}

void append(ctoml_document &document, const toml::key *key, const toml::node &node) {
    ctoml_node out{};
    out.position = position_of(node.source());
    out.key_position = out.position;
    if (key) {
        out.key = keep(document, key->str());
        out.key_position = position_of(key->source());
    }
    switch (node.type()) {
        case toml::node_type::table:
            out.kind = CTOML_TABLE;
            out.child_count = node.as_table()->size();
            break;
        case toml::node_type::array:
            out.kind = CTOML_ARRAY;
            out.child_count = node.as_array()->size();
            break;
        case toml::node_type::string:
            out.kind = CTOML_STRING;
            out.text = keep(document, node.as_string()->get());
            break;
        case toml::node_type::integer:
            out.kind = CTOML_INTEGER;
            out.integer = node.as_integer()->get();
            break;
        case toml::node_type::floating_point:
            out.kind = CTOML_FLOAT;
            out.floating = node.as_floating_point()->get();
            break;
        case toml::node_type::boolean:
            out.kind = CTOML_BOOLEAN;
            out.boolean = node.as_boolean()->get();
            break;
        case toml::node_type::date:
            out.kind = CTOML_DATETIME;
            out.text = keep(document, written(node.as_date()->get()));
            break;
        case toml::node_type::time:
            out.kind = CTOML_DATETIME;
            out.text = keep(document, written(node.as_time()->get()));
            break;
        case toml::node_type::date_time:
            out.kind = CTOML_DATETIME;
            out.text = keep(document, written(node.as_date_time()->get()));
            break;
        case toml::node_type::none:
            throw std::logic_error("the TOML parser made a node without a type");
    }
    document.nodes.push_back(out);
    if (const toml::table *table = node.as_table()) {
        append_table(document, *table);
    } else if (const toml::array *array = node.as_array()) {
        for (const toml::node &element : *array) append(document, nullptr, element);
    }
}

/// Records a failure without allocating more than the message; without memory even for that, the message stays empty.
void fail(ctoml_document &document, const char *message, ctoml_position position) noexcept {
    document.failed = true;
    document.nodes.clear();
    document.position = position;
    try {
        document.message = message;
    } catch (...) {
        document.message.clear();
    }
}

}  // namespace

ctoml_document *ctoml_parse(const char *text, size_t length) {
    ctoml_document *document = nullptr;
    try {
        document = new ctoml_document;  // its deque allocates, so this may throw as well
    } catch (...) {
        return nullptr;
    }
    try {
        const toml::table root = toml::parse(std::string_view(text ? text : "", text ? length : 0));
        append(*document, nullptr, root);
    } catch (const toml::parse_error &error) {
        fail(*document, error.what(), position_of(error.source()));
    } catch (const std::exception &error) {
        fail(*document, error.what(), {1, 1});
    } catch (...) {
        fail(*document, "the TOML parser failed without saying why", {1, 1});
    }
    return document;
}

void ctoml_free(ctoml_document *document) { delete document; }

bool ctoml_failed(const ctoml_document *document) { return document->failed; }

ctoml_text ctoml_error_message(const ctoml_document *document) {
    return {document->message.data(), document->message.size()};
}

ctoml_position ctoml_error_position(const ctoml_document *document) { return document->position; }

size_t ctoml_node_count(const ctoml_document *document) { return document->nodes.size(); }

ctoml_node ctoml_node_at(const ctoml_document *document, size_t index) {
    if (index < document->nodes.size()) return document->nodes[index];
    ctoml_node empty{};
    empty.position = empty.key_position = {1, 1};
    return empty;
}
