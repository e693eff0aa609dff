# libmime
