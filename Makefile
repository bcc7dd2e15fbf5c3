# SPDX-License-Identifier: GPL-2.0-only
# "make check" and "make demo" need nothing but a Debian 12 or 13 machine and
# root: what they use they build themselves, under ${LMF_CACHE:-~/.cache/lmf}.
ifneq ($(KERNELRELEASE),)

obj-m += src/core/ src/vfio/ src/guest/

else

KDIR ?= /lib/modules/$(shell uname -r)/build

help:
	@echo 'make demo         watch a guest with a VF migrate'
	@echo 'make check        the quick gate: unit tests, KUnit, migrations'
	@echo 'make check-full   that, and what takes longer; of all that, with'
	@echo '                  SUITES=uapi,debug these suites alone'
	@echo 'make points       docs/points.md, from what the tests have shown'
	@echo 'make mutants      put faults into the drivers: is each one seen?'
	@echo 'make bench        figures beside those of other ways; targets'
	@echo 'make soak HOURS=n migrate to and fro, with random faults,'
	@echo '                  from where it was stopped; writes docs/soak.md'
	@echo 'make modules      the kernel modules, against KDIR=$(KDIR)'
	@echo 'make modules_install'
	@echo '                  put them where depmod finds them'
	@echo 'make lmfctl       the tool for operators, as build/lmfctl/lmfctl'
	@echo 'make deb          lmf-dkms and lmfctl for Debian, in build/deb'
	@echo 'make intree KTREE=dir'
	@echo '                  lay the drivers into a Linux source tree'
	@echo 'make series OUT=dir [KTREE=dir]'
	@echo '                  write them as patches for that tree, or 6.12'
	@echo 'make clean        forget what was built here (not the cache)'

check:
	@tests/run quick

check-full:
	@tests/run $(if $(SUITES),suite '$(SUITES)',full); \
		status=$$?; $(MAKE) -s points && exit $$status

points:
	@tests/vm/build/enter.sh tests/points/points.py
	@tests/vm/build/enter.sh tests/table.py

mutants:
	@tests/mutants/run '$(or $(MUTANT),*)'

demo:
	@tests/run demo

bench:
	@tests/run bench

soak:
	@tests/run soak '$(HOURS)'

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

lmfctl:
	$(MAKE) -C src/lmfctl

deb:
	@packages=$$(tests/vm/build/deb.sh) && rm -rf build/deb && \
		mkdir -p build/deb && cp $$packages/* build/deb && \
		ls build/deb

intree:
	$(if $(KTREE),,$(error usage: make intree KTREE=dir))
	@tests/series/intree.py '$(KTREE)'

# Where no tree is given there is one in the cache, for which root is needed.
series:
	$(if $(OUT),,$(error usage: make series OUT=dir))
	@tree='$(KTREE)'; \
		tree=$${tree:-$$(tests/vm/build/source.sh linux)/tree} && \
		tests/series/series.py '$(OUT)' "$$tree" && ls '$(OUT)'

clean:
	rm -rf build

.PHONY: help check check-full points mutants demo bench soak modules
.PHONY: modules_install lmfctl deb intree series clean

endif
