# Installation: the program, the rooms' libraries and headers, and the files with which another
# project says `find_package(cosearch COMPONENTS accel)` and links `cosearch::accel`.
#
# Included once, after every room is declared: cosearch_library() has listed the libraries in the
# global property COSEARCH_LIBRARIES.
include(CMakePackageConfigHelpers)

# Which arguments of find_package() provide a library that a room links: `pattern=arguments`.
# A static library passes on what it links, so whoever links a room has to find the same packages.
set(COSEARCH_PACKAGES
  "Boost::.*=Boost"
  "Eigen3::.*=Eigen3 NO_MODULE"
  "(hdf5|HDF5)::.*=HDF5 COMPONENTS C"
  "libjpeg-turbo::.*=libjpeg-turbo"
  "nlohmann_json::.*=nlohmann_json"
  "Pagmo::.*=pagmo"
  "PNG::.*=PNG"
  "TBB::.*=TBB"
  "yaml-cpp.*=yaml-cpp"
  "ZLIB::.*=ZLIB"
  "fmt::.*=fmt"
  "dl|/.*=")  # part of the system, or a file that is named and needs no finding

function(cosearch_package_of library result)
  foreach(entry IN LISTS COSEARCH_PACKAGES)
    string(REGEX MATCH "^(.*)=(.*)$" entry "${entry}")
    set(arguments "${CMAKE_MATCH_2}")
    if(library MATCHES "^${CMAKE_MATCH_1}$")
      set(${result} "${arguments}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "COSEARCH_PACKAGES in cmake/Install.cmake must say which package provides "
                      "${library}")
endfunction()

# The lines of cosearchConfig.cmake that say what one room needs: other rooms, then packages.
function(cosearch_describe_needs target result)
  get_target_property(room ${target} EXPORT_NAME)
  get_target_property(linked ${target} LINK_LIBRARIES)
  set(rooms "")
  set(packages "")
  foreach(library IN LISTS linked)
    if(library MATCHES "^cosearch(::|_)(.*)$")
      list(APPEND rooms ${CMAKE_MATCH_2})
    elseif(NOT library MATCHES "^\\$|^$|NOTFOUND$")  # a build-only library is no one else's need
      cosearch_package_of("${library}" package)
      list(APPEND packages "${package}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  string(REPLACE ";" " " rooms "${rooms}")
  list(TRANSFORM packages REPLACE "(.+)" " \"\\1\"")
  list(JOIN packages "" packages)
  set(${result} "set(_cosearch_${room}_rooms ${rooms})\nset(_cosearch_${room}_packages${packages})\n"
      PARENT_SCOPE)
endfunction()

get_property(libraries GLOBAL PROPERTY COSEARCH_LIBRARIES)
set(COSEARCH_ROOMS "")
set(COSEARCH_NEEDS "")
foreach(target IN LISTS libraries)
  get_target_property(room ${target} EXPORT_NAME)
  list(APPEND COSEARCH_ROOMS ${room})
  cosearch_describe_needs(${target} needs)
  string(APPEND COSEARCH_NEEDS "${needs}")
endforeach()

# Headers keep their path from the root; those of the program, of our HDF5 layer and of
# the modules with LibTorch are nobody else's.
file(GLOB_RECURSE headers RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS
  core/*.h accel/*.h nas/*.h predictors/*.h datasets/*.h codesign/*.h)
list(FILTER headers EXCLUDE REGEX "^(codesign/cli|datasets/hdf5|.*/torch)/")
foreach(header IN LISTS headers)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cosearch/${folder})
endforeach()

install(TARGETS ${libraries} EXPORT cosearch ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET cosearch_cli)
  install(TARGETS cosearch_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET cosearch_training)  # the module that needs LibTorch, loaded when a network is trained
  install(TARGETS cosearch_training LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/cosearch)
endif()
if(TARGET cosearch_neural)  # likewise, when a neural predictor is asked for
  install(TARGETS cosearch_neural LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/cosearch)
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cosearch)
install(EXPORT cosearch NAMESPACE cosearch:: FILE cosearchTargets.cmake
  DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/cosearchConfig.cmake.in
  ${CMAKE_BINARY_DIR}/cosearchConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cosearchConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)  # below 1.0 a minor version may change the interface
install(FILES ${CMAKE_BINARY_DIR}/cosearchConfig.cmake
  ${CMAKE_BINARY_DIR}/cosearchConfigVersion.cmake DESTINATION ${package_folder})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
