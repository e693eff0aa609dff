# libstore
