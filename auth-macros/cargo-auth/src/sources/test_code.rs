//! Removal of the code that only tests have.

use auth_grammar::attribute::is_test;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Expr, ExprMatch, File, ImplItem, ItemImpl, ItemTrait, Stmt, TraitItem,
};

use super::conditions::attributes_at;

/// Removes statements, arms and members that only tests have. Items stay, because a policy on a test
/// is reported.
pub(super) fn remove(file: &mut File) {
    Removal.visit_file_mut(file);
}

pub(super) fn remove_in(statements: &mut Vec<Stmt>) {
    statements.retain(|statement| !is_of_tests(attributes_at(statement)));
    for statement in statements {
        Removal.visit_stmt_mut(statement);
    }
}

pub(super) fn remove_within(expression: &mut Expr) {
    Removal.visit_expr_mut(expression);
}

struct Removal;

impl VisitMut for Removal {
    fn visit_block_mut(&mut self, block: &mut Block) {
        remove_in(&mut block.stmts);
    }

    fn visit_expr_match_mut(&mut self, written: &mut ExprMatch) {
        written.arms.retain(|arm| !is_of_tests(&arm.attrs));
        visit_mut::visit_expr_match_mut(self, written);
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        item.items.retain(|member| match member {
            ImplItem::Const(it) => !is_of_tests(&it.attrs),
            ImplItem::Fn(it) => !is_of_tests(&it.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_item_trait_mut(&mut self, item: &mut ItemTrait) {
        item.items.retain(|member| match member {
            TraitItem::Const(it) => !is_of_tests(&it.attrs),
            TraitItem::Fn(it) => !is_of_tests(&it.attrs),
            _ => true,
        });
        visit_mut::visit_item_trait_mut(self, item);
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(is_test)
}
