// fanfold/placement/cgroup.hpp - what control groups, version 1 or 2 or both, leave of the CPUs to this process.
//   in    proc/self/cgroup, proc/self/mountinfo and the groups' files, all under a root      out   a quota, cpusets
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>         // std::find, std::min
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <string>            // std::string
#include <string_view>       // std::string_view
#include <utility>           // std::move
#include <vector>            // std::vector

#include "../context/floating_point.hpp"
#include "cpu_list.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A mounted hierarchy of groups, or this process's place in one: which controllers, and a path.
struct cgroup_mount {
    std::vector<std::string> controllers;  ///< empty: version 2
    std::vector<std::string> group;        ///< the group that is mounted
    std::string point;                     ///< where
};
struct cgroup_membership {
    std::vector<std::string> controllers;  ///< empty: version 2
    std::vector<std::string> group;
};

[[nodiscard]] inline std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty())
        if (const std::string_view part = cut(text, separator); !part.empty()) parts.emplace_back(part);
    return parts;
}

/// A space in a path stands as "\040" in mountinfo.
[[nodiscard]] inline std::string unescaped(std::string_view text) {
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
[[nodiscard]] inline std::string_view relative(std::string_view path) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    return path;
}

[[nodiscard]] inline bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Lines like "4:cpu,cpuacct:/docker/1f" and "0::/user.slice".
[[nodiscard]] inline std::vector<cgroup_membership> read_memberships(const std::string& root) {
    constexpr std::size_t longest_path = 4096;
    const std::string text = read_text(below(root, "proc/self/cgroup"));
    std::vector<cgroup_membership> found;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = cut(rest, '\n');
        const std::string_view hierarchy = cut(line, ':');
        const std::string_view controllers = cut(line, ':');
        if (!line.starts_with('/') || line.size() > longest_path) continue;
        if (controllers.empty() != (hierarchy == "0")) continue;
        found.push_back({split(controllers, ','), split(line, '/')});
    }
    return found;
}

/// Lines like "36 32 0:33 /docker/1f /sys/fs/cgroup/cpu ro,nosuid master:9 - cgroup cgroup rw,cpu,cpuacct".
[[nodiscard]] inline std::vector<cgroup_mount> read_cgroup_mounts(const std::string& root) {
    const std::string text = read_text(below(root, "proc/self/mountinfo"));
    std::vector<cgroup_mount> found;
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
        std::vector<std::string> controllers;
        if (type == "cgroup") controllers = split(trimmed(source), ',');
        if (type == "cgroup" && controllers.empty()) continue;
        found.push_back({std::move(controllers), split(group, '/'), below(root, relative(point))});
    }
    if (!found.empty()) return found;
    return {{{}, {}, below(root, "sys/fs/cgroup")},  // where they usually are
            {{"cpu"}, {}, below(root, "sys/fs/cgroup/cpu")},
            {{"cpu"}, {}, below(root, "sys/fs/cgroup/cpu,cpuacct")},
            {{"cpuset"}, {}, below(root, "sys/fs/cgroup/cpuset")}};
}

/// Folders of this process's group in the hierarchy of `controller` and of the groups around it, innermost first, a
/// list for every place where that hierarchy is mounted.
class cgroup_folders {
public:
    explicit cgroup_folders(const std::string& root)
        : memberships_(read_memberships(root)), mounts_(read_cgroup_mounts(root)) {}

    using ladder = std::vector<std::string>;

    [[nodiscard]] std::vector<ladder> version1(std::string_view controller) const {
        return ladders([&](const std::vector<std::string>& controllers) { return has(controllers, controller); });
    }
    [[nodiscard]] std::vector<ladder> version2() const {
        return ladders([](const std::vector<std::string>& controllers) { return controllers.empty(); });
    }

private:
    template <class Matches>
    [[nodiscard]] std::vector<ladder> ladders(const Matches& matches) const {
        std::vector<ladder> inside;
        std::vector<ladder> outside;
        for (const cgroup_membership& member : memberships_) {
            if (!matches(member.controllers)) continue;
            for (const cgroup_mount& mount : mounts_) {
                if (!matches(mount.controllers)) continue;
                (contains(mount, member) ? inside : outside).push_back(climb(mount, member));
            }
        }
        return inside.empty() ? outside : inside;
    }

    /// Whether the group's own folder can be reached. In a container it may lie outside of what is mounted, as in
    /// "/../other"; then the mounted group is the best that can be known.
    static bool contains(const cgroup_mount& mount, const cgroup_membership& member) {
        if (member.group.size() < mount.group.size()) return false;
        const auto below = member.group.begin() + static_cast<std::ptrdiff_t>(mount.group.size());
        return std::equal(mount.group.begin(), mount.group.end(), member.group.begin()) &&
               std::find(below, member.group.end(), "..") == member.group.end();
    }

    static ladder climb(const cgroup_mount& mount, const cgroup_membership& member) {
        ladder up{mount.point};
        if (contains(mount, member))
            for (std::size_t i = mount.group.size(); i < member.group.size(); ++i)
                up.push_back(below(up.back(), member.group[i]));
        std::reverse(up.begin(), up.end());
        return up;
    }

    std::vector<cgroup_membership> memberships_;
    std::vector<cgroup_mount> mounts_;
};

/// CPUs, 0 when one of the numbers is none.
[[nodiscard]] inline double quota_of(std::string_view microseconds, std::string_view period) {
    const auto allowed = parse_number(trimmed(microseconds));
    const auto every = parse_number(trimmed(period));
    if (!allowed || !every || *every == 0) return 0;
    return static_cast<double>(*allowed) / static_cast<double>(*every);
}

/// The smallest quota on the way from this process's groups to the roots, in CPUs; 0 when there is none.
[[nodiscard]] inline double cgroup_quota(const std::string& root) {
    const floating_point_scope environment;  // the caller may trap on a quotient that is not exact
    const cgroup_folders folders(root);
    double least = 0;
    const auto consider = [&](double quota) {
        if (quota > 0 && (least == 0 || quota < least)) least = quota;
    };
    for (const auto& ladder : folders.version2())
        for (const std::string& folder : ladder) {
            const std::string text = read_text(below(folder, "cpu.max"));
            std::string_view period = text;
            const std::string_view quota = cut(period, ' ');
            consider(quota_of(quota, period));
        }
    for (const auto& ladder : folders.version1("cpu"))
        for (const std::string& folder : ladder)
            consider(quota_of(read_text(below(folder, "cpu.cfs_quota_us")), read_text(below(folder, "cpu.cfs_period_us"))));
    return least;
}

/// Keeps the CPUs that this process's cpusets leave. The innermost set that can be read counts: an outer one lacks the
/// CPUs that it gave away to a partition.
inline void narrow_to_cpusets(cpu_list& cpus, const std::string& root) {
    const cgroup_folders folders(root);
    const auto innermost = [&](const cgroup_folders::ladder& ladder, std::initializer_list<const char*> names) {
        for (const std::string& folder : ladder)
            for (const char* name : names) {
                const std::string text = read_text(below(folder, name));
                const auto listed = parse_cpu_list(text);
                if (!listed || listed->empty()) continue;
                narrow(cpus, text);
                return;
            }
    };
    for (const auto& ladder : folders.version2()) innermost(ladder, {"cpuset.cpus.effective"});
    for (const auto& ladder : folders.version1("cpuset")) innermost(ladder, {"cpuset.effective_cpus", "cpuset.cpus"});
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
