// fanfold/placement/cgroup.hpp - what control groups, version 1 or 2 or both, leave of the CPUs to this process.
//   in    proc/self/cgroup, proc/self/mountinfo and the groups' files, all under a root      out   a quota, cpusets
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min
#include <cstddef>      // std::size_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../context/floating_point.hpp"
#include "cpu_list.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A mounted hierarchy of groups, this process's place in one, or where the two meet.
struct cgroup {
    std::string controllers;  ///< "cpu,cpuacct"; empty: version 2
    std::string group;        ///< the group's path, "/docker/1f"; empty: the root
    std::string point;        ///< the folder that its top is mounted at
};

/// Every component after one slash: "//docker/1f/" -> "/docker/1f", "/" -> "".
template <class = void>
[[nodiscard]] std::string normal(std::string_view path) {
    std::string plain;
    while (!path.empty())
        if (const std::string_view name = cut(path, '/'); !name.empty()) (plain += '/') += name;
    return plain;
}

/// Whether "cpu,cpuacct" has "cpu"; of version 2 (no controllers), whether none is asked for.
template <class = void>
[[nodiscard]] bool manages(std::string_view controllers, std::string_view controller) {
    if (controller.empty() || controllers.empty()) return controllers.empty() == controller.empty();
    while (!controllers.empty())
        if (cut(controllers, ',') == controller) return true;
    return false;
}

/// A space in a path stands as "\040" in mountinfo.
template <class = void>
[[nodiscard]] std::string unescaped(std::string_view text) {
    std::string plain;
    const auto octal = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

/// "/sys/fs/cgroup" -> "sys/fs/cgroup"
template <class = void>
[[nodiscard]] std::string_view relative(std::string_view path) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    return path;
}

/// Lines like "4:cpu,cpuacct:/docker/1f" and "0::/user.slice".
template <class = void>
[[nodiscard]] std::vector<cgroup> read_memberships(const std::string& root) {
    constexpr std::size_t longest_path = 4096;
    const std::string text = read_text(below(root, "proc/self/cgroup"));
    std::vector<cgroup> found;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = cut(rest, '\n');
        const std::string_view hierarchy = cut(line, ':');
        const std::string_view controllers = cut(line, ':');
        if (!line.starts_with('/') || line.size() > longest_path) continue;
        if (controllers.empty() != (hierarchy == "0")) continue;
        found.push_back({std::string(controllers), normal(line), {}});
    }
    return found;
}

/// Lines like "36 32 0:33 /docker/1f /sys/fs/cgroup/cpu ro,nosuid master:9 - cgroup cgroup rw,cpu,cpuacct".
template <class = void>
[[nodiscard]] std::vector<cgroup> read_cgroup_mounts(const std::string& root) {
    const std::string text = read_text(below(root, "proc/self/mountinfo"));
    std::vector<cgroup> found;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = cut(rest, '\n');
        const std::size_t dash = line.find(" - ");
        if (dash == std::string_view::npos) continue;
        std::string_view source = line.substr(dash + 3);
        const std::string_view type = cut(source, ' ');
        if (type != "cgroup" && type != "cgroup2") continue;
        for (int skipped = 0; skipped < 3; ++skipped) (void)cut(line, ' ');
        const std::string group = unescaped(cut(line, ' '));
        const std::string point = unescaped(cut(line, ' '));
        (void)cut(source, ' ');
        const std::string_view controllers = type == "cgroup" ? trimmed(source) : std::string_view();
        if (type == "cgroup" && controllers.empty()) continue;
        found.push_back({std::string(controllers), normal(group), below(root, relative(point))});
    }
    if (!found.empty()) return found;
    return {{{}, {}, below(root, "sys/fs/cgroup")},  // where they usually are
            {"cpu", {}, below(root, "sys/fs/cgroup/cpu")},
            {"cpu", {}, below(root, "sys/fs/cgroup/cpu,cpuacct")},
            {"cpuset", {}, below(root, "sys/fs/cgroup/cpuset")}};
}

/// This process's group in the hierarchy of `controller` (version 2: ""), once for every place where that is mounted:
/// `group` is its path below `point`. In a container its folder may lie outside of what is mounted, as in "/../other";
/// then the mounted group is the best that can be known.
template <class = void>
[[nodiscard]] std::vector<cgroup> own_groups(const std::string& root, std::string_view controller) {
    std::vector<cgroup> inside;
    std::vector<cgroup> outside;
    const std::vector<cgroup> mounts = read_cgroup_mounts(root);
    for (const cgroup& member : read_memberships(root)) {
        if (!manages(member.controllers, controller)) continue;
        for (const cgroup& mount : mounts) {
            if (!manages(mount.controllers, controller)) continue;
            const bool below_mount = (member.group + '/').starts_with(mount.group + '/');
            const std::string path = below_mount ? member.group.substr(mount.group.size()) : "/..";
            if ((path + '/').find("/../") == std::string::npos)
                inside.push_back({mount.controllers, path, mount.point});
            else
                outside.push_back({mount.controllers, {}, mount.point});
        }
    }
    return inside.empty() ? outside : inside;
}

/// Calls `found(folder)` for the group and those around it, innermost first, until it returns true.
template <class Found>
void climb(const cgroup& from, const Found& found) {
    std::string folder = from.point + from.group;
    while (!found(folder) && folder.size() > from.point.size()) folder.resize(folder.rfind('/'));
}

/// CPUs, 0 when one of the numbers is none.
template <class = void>
[[nodiscard]] double quota_of(std::string_view microseconds, std::string_view period) {
    const auto allowed = parse_number(trimmed(microseconds));
    const auto every = parse_number(trimmed(period));
    if (!allowed || !every || *every == 0) return 0;
    return static_cast<double>(*allowed) / static_cast<double>(*every);
}

/// The smallest quota on the way from this process's groups to the roots, in CPUs; 0 when there is none.
template <class = void>
[[nodiscard]] double cgroup_quota(const std::string& root) {
    const floating_point_scope environment;  // the caller may trap on a quotient that is not exact
    double least = 0;
    const auto consider = [&](double quota) {
        if (quota > 0 && (least == 0 || quota < least)) least = quota;
        return false;
    };
    for (const cgroup& own : own_groups(root, ""))
        climb(own, [&](const std::string& folder) {
            const std::string text = read_text(below(folder, "cpu.max"));
            std::string_view period = text;
            const std::string_view quota = cut(period, ' ');
            return consider(quota_of(quota, period));
        });
    for (const cgroup& own : own_groups(root, "cpu"))
        climb(own, [&](const std::string& folder) {
            return consider(
                quota_of(read_text(below(folder, "cpu.cfs_quota_us")), read_text(below(folder, "cpu.cfs_period_us"))));
        });
    return least;
}

/// Keeps the CPUs that this process's cpusets leave. The innermost set that can be read counts: an outer one lacks the
/// CPUs that it gave away to a partition.
template <class = void>
void narrow_to_cpusets(cpu_list& cpus, const std::string& root) {
    const auto narrowed_by = [&](const std::string& file) {
        const std::string text = read_text(file);
        const auto listed = parse_cpu_list(text);
        if (!listed || listed->empty()) return false;
        narrow(cpus, text);
        return true;
    };
    for (const cgroup& own : own_groups(root, ""))
        climb(own, [&](const std::string& folder) { return narrowed_by(below(folder, "cpuset.cpus.effective")); });
    for (const cgroup& own : own_groups(root, "cpuset"))
        climb(own, [&](const std::string& folder) {
            return narrowed_by(below(folder, "cpuset.effective_cpus")) || narrowed_by(below(folder, "cpuset.cpus"));
        });
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
