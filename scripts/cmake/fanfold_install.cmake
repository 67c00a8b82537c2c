# Install rules: headers, targets, and a package file that finds what they need.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(fanfold_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fanfold)
# One export set a component: a missing package of one must not break the import of the others.
install(TARGETS fanfold EXPORT fanfold_targets FILE_SET HEADERS)
install(DIRECTORY include/fanfold TYPE INCLUDE FILES_MATCHING PATTERN "*.inc")  # kernel bodies, included once a target
install(EXPORT fanfold_targets NAMESPACE fanfold:: DESTINATION ${fanfold_package_dir})
foreach(component onnx json sqlite)
  if(TARGET fanfold_${component})
    install(TARGETS fanfold_${component} EXPORT fanfold_${component}_targets FILE_SET HEADERS)
    install(EXPORT fanfold_${component}_targets NAMESPACE fanfold:: DESTINATION ${fanfold_package_dir})
  endif()
endforeach()
write_basic_package_version_file(fanfoldConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES scripts/cmake/fanfoldConfig.cmake scripts/cmake/Findxxhash.cmake scripts/cmake/Findprotozero.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/fanfoldConfigVersion.cmake DESTINATION ${fanfold_package_dir})
