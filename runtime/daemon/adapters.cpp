#include "runtime/daemon/adapters.hpp"

#include <algorithm>
#include <filesystem>

#include <dlfcn.h>

#include "runtime/base/limits.hpp"
#include "runtime/config/toml.hpp"
#include "runtime/daemon/adapter_kinds.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::daemon {

namespace {

using integration::AdapterKinds;

constexpr std::size_t definition_bytes_max = 1 * limits::mib;

// A library stays loaded until the process ends: adapters are made of its code.
Result<void> load_library(const std::string& path, AdapterKinds& kinds) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return fail(Errc::io_error, "library '" + path + "' cannot be loaded: " +
                                    (why != nullptr ? why : "no reason given"));
  }
  const auto* version =
      static_cast<const std::uint32_t*>(dlsym(library, "mainstay_adapter_interface"));
  const auto add =
      reinterpret_cast<integration::AddAdapters>(dlsym(library, "mainstay_add_adapters"));
  if (version == nullptr || add == nullptr)
    return fail(Errc::unsupported,
                "library '" + path + "' is no adapter: it lacks MAINSTAY_ADAPTERS(…)");
  if (*version != integration::adapter_interface_version)
    return fail(Errc::unsupported, "library '" + path + "' was built for adapter interface " +
                                       std::to_string(*version) + ", this is " +
                                       std::to_string(integration::adapter_interface_version) +
                                       ": build it again");
  add(kinds);
  return {};
}

Result<std::vector<sys::Path>> definition_files(const std::string& directory) {
  std::vector<sys::Path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error})
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  if (error)
    return fail(Errc::io_error,
                "adapters.directory '" + directory + "' cannot be read: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

Result<integration::AdapterDefinition> read_definition(const sys::Path& file) {
  TRY_ASSIGN(const std::string text, sys::read_file(file, definition_bytes_max));
  TRY_ASSIGN(const json::Value table, config::read_table(file.string(), text));
  const sys::Path directory = file.parent_path();
  auto definition = integration::parse_definition(
      file.stem().string(), table, [&directory](const std::string& name) {
        return sys::read_file(sys::Path{name}.is_absolute() ? sys::Path{name} : directory / name,
                              definition_bytes_max);
      });
  if (!definition)
    return fail(definition.error().code, file.string() + ": " + definition.error().message);
  definition->directory = directory.string();
  return definition;
}

Result<void> try_out(const integration::AdapterDefinition& definition, const AdapterKinds& kinds) {
  integration::AdapterContext context;
  context.name = definition.name;
  context.settings = definition.settings;
  context.call_timeout = definition.effects.call_timeout;
  context.directory = definition.directory;
  const auto made = kinds.make(definition.kind, context);
  if (!made) return Failure{made.error()};
  const integration::AdapterTraits traits = (*made)->traits();
  if (definition.source && !traits.has_source)
    return fail(Errc::invalid_argument, "kind '" + definition.kind + "' has no source");
  if (!definition.exports.empty() && !traits.has_effects)
    return fail(Errc::invalid_argument, "kind '" + definition.kind + "' carries out no effects");
  return {};
}

}  // namespace

Result<Adapters> load_adapters(const std::string& directory) {
  Adapters adapters;
  const auto kinds = std::make_shared<AdapterKinds>();
  add_built_in_kinds(*kinds);
  adapters.kinds = kinds;
  if (directory.empty()) return adapters;
  TRY_ASSIGN(const auto files, definition_files(directory));
  for (const sys::Path& file : files) {
    TRY_ASSIGN(auto definition, read_definition(file));
    if (!definition.library.empty()) {
      const sys::Path library{definition.library};
      const sys::Path whole = library.is_absolute() ? library : file.parent_path() / library;
      if (const auto loaded = load_library(whole.string(), *kinds); !loaded)
        return fail(loaded.error().code, file.string() + ": " + loaded.error().message);
    }
    if (const auto good = try_out(definition, *kinds); !good)
      return fail(good.error().code, file.string() + ": " + good.error().message);
    adapters.definitions.push_back(
        std::make_shared<const integration::AdapterDefinition>(std::move(definition)));
  }
  return adapters;
}

}  // namespace mainstay::daemon
